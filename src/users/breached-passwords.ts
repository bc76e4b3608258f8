import { createHash } from 'node:crypto';
import { config } from '#src/config';
import { log } from '#src/core/log';

/** How long to wait for the whole answer, in milliseconds. */
const PATIENCE = 1000;
/** Longest answer that is read, in bytes: ten times a usual one. */
const LONGEST = 512 * 1024;

/**
 * Whether a password is known from a breach, by the range API of Have I Been Pwned at PASSWORD_BREACH_URL: only the first five
 * hexadecimal digits of its SHA-1 are sent (https://haveibeenpwned.com/API/v3#PwnedPasswords). A service that is away, slow or
 * broken refuses nobody; the log says so.
 */
export async function isBreached(password: string): Promise<boolean> {
  if (!config.PASSWORD_BREACH_URL) return false;
  const digest = createHash('sha1').update(password.normalize('NFC')).digest('hex').toUpperCase();
  try {
    const suffixes = await ask(`${config.PASSWORD_BREACH_URL.replace(/\/$/, '')}/${digest.slice(0, 5)}`);
    return suffixes.has(digest.slice(5));
  } catch (error) {
    log.warn({ reason: reasonOf(error) }, 'a password was not compared with breached ones');
    return false;
  }
}

async function ask(url: string): Promise<Set<string>> {
  const signal = AbortSignal.timeout(PATIENCE);
  const response = await fetch(url, { signal, redirect: 'error', headers: { 'Add-Padding': 'true', 'User-Agent': 'sallyport' } });
  if (response.status !== 200 || !response.body) {
    await response.body?.cancel();
    throw new Error(`status ${response.status}`);
  }
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body) {
    length += part.length;
    if (length > LONGEST) throw new Error('the answer is too long');
    parts.push(part);
  }
  return breached(Buffer.concat(parts).toString('latin1'));
}

/** Lines of `<35 hexadecimal digits>:<count>`. A count of 0 is padding. */
function breached(text: string): Set<string> {
  const lines = text.split(/\r?\n/).filter(Boolean);
  const found = lines.map((line) => /^([0-9A-F]{35}):(\d+)$/i.exec(line));
  if (found.includes(null)) throw new Error('the answer is not one of the range API');
  return new Set(found.flatMap((match) => (Number(match![2]) > 0 ? [match![1]!.toUpperCase()] : [])));
}

/** Of what went wrong, what holds nothing of the password. */
const reasonOf = (error: unknown): string => {
  const { name, message, cause } = error as Error;
  return (cause as NodeJS.ErrnoException | undefined)?.code ?? (name === 'Error' ? message : name);
};
