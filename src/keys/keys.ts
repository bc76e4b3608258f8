import { createHmac, createPrivateKey, createPublicKey, createSecretKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { SigningKey } from '#models/index';
import { config } from '#src/config';
import { unseal } from '#src/core/secrets';
import type { Life } from '#src/keys/life';

type Algorithm = 'ES256' | 'RS256' | 'HS256';

/** One key, one algorithm (RFC 8725 §3.1): what a token's header claims never chooses how its signature is checked. */
export interface Key {
  readonly kid: string;
  readonly algorithm: Algorithm;
  readonly verifyWith: KeyObject;
  readonly signWith: KeyObject;
}
/** `jwk`: what others may know of it. */
interface Held extends Pick<Life, 'signsFrom' | 'goneFrom'> {
  readonly key: Key;
  readonly jwk: JsonWebKey | null;
}

/** What private keys are sealed for. */
export const PURPOSE = 'signing-key';

let keyring: ReadonlyMap<string, Held> = new Map();
const former = new Set<string>();

/** From now on these keys count, oldest first. One that is held already stays the same object: what it verified stays verified. */
export function holdKeys(lives: (Life & { row: SigningKey })[]): void {
  const stored = lives.map(({ row, signsFrom, goneFrom }) => {
    const { key, jwk } = keyring.get(row.kid) ?? shown(opened(row));
    return { key, jwk, signsFrom, goneFrom };
  });
  const shared = config.JWT_ALG === 'HS256' ? [{ key: sharedKey(config.JWT_SECRET!), jwk: null, signsFrom: 0, goneFrom: Infinity }] : [];
  for (const kid of keyring.keys()) former.add(kid);
  keyring = new Map([...stored, ...shared].map((held) => [held.key.kid, held]));
  for (const kid of keyring.keys()) former.delete(kid);
}

/** True for a key that this process held once: what it signed was good, and is over. */
export const wasOurs = (kid: string): boolean => former.has(kid) || keyring.has(kid);

/** The key that signs now: the newest whose time has come, or the only one there is. */
export function signingKey(): Key {
  const now = Date.now();
  const mine = [...keyring.values()].filter(({ key }) => key.algorithm === config.JWT_ALG);
  const active = mine.findLast(({ signsFrom }) => signsFrom <= now) ?? mine[0];
  if (!active) throw new Error('The signing keys are not loaded yet.');
  return active.key;
}

/** The key of this id while it is good, or undefined. A look-up in memory: an id is never a path, a URL or a query. */
export function keyOf(kid: string): Key | undefined {
  const held = keyring.get(kid);
  return held && held.goneFrom > Date.now() ? held.key : undefined;
}

/** What others need to check our signatures (RFC 7517): keys that will sign, do sign, or have signed what has not expired. */
export const publicKeys = (): JsonWebKey[] =>
  [...keyring.values()].flatMap(({ jwk, goneFrom }) => (jwk && goneFrom > Date.now() ? [jwk] : []));

const shown = (key: Key) => ({
  key,
  jwk: { ...key.verifyWith.export({ format: 'jwk' }), kid: key.kid, alg: key.algorithm, use: 'sig' },
});

/** Both halves come out of the seal: who can only write to the table cannot add a key of their own. */
function opened({ kid, algorithm, sealedPrivateKey }: SigningKey): Key {
  let signWith: KeyObject;
  try {
    signWith = createPrivateKey(unseal(PURPOSE, sealedPrivateKey).plain);
  } catch (cause) {
    throw new Error(
      'The signing keys in this database were sealed under another APP_SECRET. Give the server that secret back, as APP_SECRET or APP_SECRET_PREVIOUS; or, to start anew, empty the table signing_keys.',
      { cause },
    );
  }
  return Object.freeze({ kid, algorithm: algorithm as Algorithm, verifyWith: createPublicKey(signWith), signWith });
}

/** The id must not help to guess the secret faster than a token would: it is as hard to invert as a signature. */
function sharedKey(secret: string): Key {
  const key = createSecretKey(Buffer.from(secret));
  const kid = createHmac('sha256', key).update('kid').digest('base64url');
  return keyring.get(kid)?.key ?? Object.freeze({ kid, algorithm: 'HS256', verifyWith: key, signWith: key });
}
