import { text } from 'node:stream/consumers';
import { read } from 'read';

/**
 * Asks for a password on the terminal, twice and without echo. Without a terminal, reads all of standard input and drops
 * a final line end. A password is never an argument: arguments are visible in process lists and shell histories.
 */
export async function readPassword(): Promise<string> {
  if (!process.stdin.isTTY) return (await text(process.stdin)).replace(/\r?\n$/, '');
  const ask = (prompt: string) => read({ prompt, silent: true, output: process.stderr });
  const password = await ask('Password: ');
  if ((await ask('\nAgain: ')) !== password) throw new Error('\nThe two passwords differ.');
  process.stderr.write('\n');
  return password;
}
