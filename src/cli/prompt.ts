import { isUtf8 } from 'node:buffer';
import { buffer } from 'node:stream/consumers';
import { read } from 'read';

/**
 * Asks for a password on the terminal, twice and without echo. Without a terminal, reads all of standard input and drops
 * a final line end. A password is never an argument: arguments are visible in process lists and shell histories.
 */
export async function readPassword(): Promise<string> {
  if (!process.stdin.isTTY) {
    const bytes = await buffer(process.stdin);
    // Decoded loosely, different passwords would become the same one.
    if (!isUtf8(bytes)) throw new Error('The password must be encoded as UTF-8.');
    return bytes.toString().replace(/\r?\n$/, '');
  }
  const ask = (prompt: string) => read({ prompt, silent: true, output: process.stderr });
  const password = await ask('Password: ');
  if ((await ask('\nAgain: ')) !== password) throw new Error('\nThe two passwords differ.');
  process.stderr.write('\n');
  return password;
}

/**
 * Asks to type `name` again before something that cannot be undone. `yes`: it was confirmed on the command line.
 * @throws {Error} if another name is typed, or if there is no terminal to ask on
 */
export async function confirm(what: string, name: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY)
    throw new Error(`${what} cannot be undone: confirm it with --yes. Nothing was changed.`);
  const prompt = `${what} cannot be undone. Type ${name} to go on: `;
  const typed = await read({ prompt, output: process.stderr });
  if (typed.trim() !== name) throw new Error('That is another name. Nothing was changed.');
}

/** Asks a question whose answer is yes unless it is `n`. Without a terminal nobody is asked, and the answer is no. */
export async function askYes(prompt: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const typed = await read({ prompt, output: process.stderr });
  return !/^n/i.test(typed.trim());
}
