import { createHash } from 'node:crypto';
import type { Context } from '#src/context';

/** For the whole answer. */
const TIMEOUT_MS = 1000;
/** The longest answer that is read: ten times a usual one. */
const MAX_BYTES = 512 * 1024;

/**
 * True if a password is known from a breach, by the range API of Have I Been Pwned at
 * PASSWORD_BREACH_URL (https://haveibeenpwned.com/API/v3#PwnedPasswords). Only the first five
 * hexadecimal digits of its SHA-1 are sent. If the service is unreachable, slow or broken, no
 * password is refused, and a line is logged.
 */
export async function isBreached(
  { settings, log }: Pick<Context, 'settings' | 'log'>,
  password: string,
): Promise<boolean> {
  if (!settings.passwordBreachUrl) return false;
  const digest = createHash('sha1').update(password.normalize('NFC')).digest('hex').toUpperCase();
  const url = `${settings.passwordBreachUrl.replace(/\/$/, '')}/${digest.slice(0, 5)}`;
  try {
    return (await fetchSuffixes(url)).has(digest.slice(5));
  } catch (error) {
    log.warn({ reason: reasonOf(error) }, 'a password was not compared with breached ones');
    return false;
  }
}

async function fetchSuffixes(url: string): Promise<Set<string>> {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(TIMEOUT_MS),
    redirect: 'error',
    headers: { 'Add-Padding': 'true', 'User-Agent': 'sallyport' },
  });
  if (response.status !== 200 || !response.body) {
    await response.body?.cancel();
    throw new Error(`status ${response.status}`);
  }
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body) {
    length += part.length;
    if (length > MAX_BYTES) throw new Error('the answer is too long');
    parts.push(part);
  }
  return suffixesIn(Buffer.concat(parts).toString('latin1'));
}

/** Lines of `<35 hexadecimal digits>:<count>`. A count of 0 is padding. */
function suffixesIn(text: string): Set<string> {
  const lines = text.split(/\r?\n/).filter(Boolean);
  const found = lines.map((line) => /^([0-9A-F]{35}):(\d+)$/i.exec(line));
  if (found.includes(null)) throw new Error('the answer is not one of the range API');
  return new Set(
    found.flatMap((match) => (Number(match![2]) > 0 ? [match![1]!.toUpperCase()] : [])),
  );
}

/** What a log may know of an error: nothing of the password. */
const reasonOf = (error: unknown): string => {
  const { name, message, cause } = error as Error;
  return (cause as NodeJS.ErrnoException | undefined)?.code ?? (name === 'Error' ? message : name);
};
