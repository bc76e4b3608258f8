import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { CRYPT64, crypt64 } from '#src/platform/crypto/hashes/crypt64';
import { isSame, type Reader } from '#src/platform/crypto/hashes/foreign';

/** How many rounds cost one of bcrypt. */
const PER_ROUND = 44;
/** Rounds in a row: other requests wait for a millisecond at most. */
const SLICE = 500;
/** In bytes. The work grows with the password: a longer one is refused after the work for this length. */
const LONGEST_PASSWORD = 256;
/** crypt(3): `$5$` or `$6$`, `rounds=<n>$` unless it is 5000, salt, `$`, digest. */
const FORM = new RegExp(`^\\$([56])\\$(?:rounds=(\\d{4,9})\\$)?([^$]{0,16})\\$(${CRYPT64}+)$`);
const KINDS = { 5: ['sha256', 43], 6: ['sha512', 86] } as const;

/** SHA-256-crypt and SHA-512-crypt (U. Drepper, https://www.akkadia.org/drepper/SHA-crypt.txt). */
export const readShaCrypt: Reader = (text) => {
  const form = FORM.exec(text);
  if (!form) return undefined;
  const [name, length] = KINDS[form[1] as unknown as keyof typeof KINDS];
  const [rounds, salt, digest] = [Number(form[2] ?? 5000), Buffer.from(form[3]!), form[4]!];
  if (rounds < 1000 || digest.length !== length) return undefined;
  const matches = async (password: Buffer) => {
    const made = await shaCrypt(name, password.subarray(0, LONGEST_PASSWORD), salt, rounds);
    const isMatch = isSame(Buffer.from(crypt64(inOrder(made))), Buffer.from(digest));
    return isMatch && password.length <= LONGEST_PASSWORD;
  };
  return { rounds: rounds / PER_ROUND, memory: 0, parameters: `${name}-crypt ${rounds}`, matches };
};

/** The steps of the specification, by its letters: A and B, then DP and P, DS and S, then the rounds. */
async function shaCrypt(
  name: 'sha256' | 'sha512',
  password: Buffer,
  salt: Buffer,
  rounds: number,
): Promise<Buffer> {
  const sha = (...parts: Buffer[]) =>
    parts.reduce((hash, part) => hash.update(part), createHash(name)).digest();
  const stretched = (digest: Buffer, length: number) => Buffer.alloc(length, digest);
  const repeated = (part: Buffer, times: number) => Array.from({ length: times }, () => part);
  const b = sha(password, salt, password);
  const bits: Buffer[] = [];
  for (let n = password.length; n > 0; n >>= 1) bits.push(n % 2 === 1 ? b : password);
  let a = sha(password, salt, stretched(b, password.length), ...bits);
  const p = stretched(sha(...repeated(password, password.length)), password.length);
  const s = stretched(sha(...repeated(salt, 16 + a[0]!)), salt.length);
  for (let i = 0; i < rounds; i++) {
    const odd = i % 2 === 1;
    a = sha(odd ? p : a, i % 3 > 0 ? s : NOTHING, i % 7 > 0 ? p : NOTHING, odd ? a : p);
    if (i % SLICE === 0) await setImmediate();
  }
  return a;
}
const NOTHING = Buffer.alloc(0);

/** The bytes of the digest in the order in which they are written: one from each third by turns, then the rest. */
function inOrder(digest: Buffer): Buffer {
  const third = Math.floor(digest.length / 3);
  const turn = digest.length === 32 ? 2 : 1;
  const threes = Array.from({ length: third }, (_, i) =>
    [2, 1, 0].map((place) => digest[i + third * ((place + turn * i) % 3)]!),
  );
  return Buffer.from([...threes.flat(), ...digest.subarray(3 * third)]);
}
