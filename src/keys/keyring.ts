import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type KeyObject,
} from 'node:crypto';
import type { SigningKey } from '#models/index';
import type { Context } from '#src/context';
import type { Secrets } from '#src/platform/crypto/secrets';
import type { KeySchedule, Scheduled } from '#src/keys/key-schedule';

/** A public key as it is published (RFC 7517). */
type Jwk = Readonly<Record<string, unknown>>;
type Algorithm = 'ES256' | 'RS256' | 'HS256';

/**
 * One key, one algorithm (RFC 8725 §3.1): the header of a token never chooses how its signature is checked.
 */
export interface Key {
  readonly kid: string;
  readonly algorithm: Algorithm;
  readonly verifyWith: KeyObject;
  readonly signWith: KeyObject;
}
/** `jwk`: null for a shared secret. */
interface HeldKey extends Pick<KeySchedule, 'signsFrom' | 'goneFrom'> {
  readonly key: Key;
  readonly jwk: Jwk | null;
}

/** The signing keys that an instance holds in memory. */
export interface Keyring {
  /** By key id, oldest first. Replaced as a whole. */
  held: ReadonlyMap<string, HeldKey>;
  /** Ids of keys that this instance held once. */
  readonly retiredKids: Set<string>;
  /** The last call of `tendKeys`: the next one waits for it. */
  tending: Promise<void>;
  /** When an unknown key id last made this instance look for new keys (`performance.now()`). */
  looked: { at: number; done: Promise<void> } | undefined;
}

export const createKeyring = (): Keyring => ({
  held: new Map(),
  retiredKids: new Set(),
  tending: Promise.resolve(),
  looked: undefined,
});

/** The purpose under which private keys are encrypted. */
export const SIGNING_KEY_PURPOSE = 'signing-key';

/**
 * Replaces the keys in memory by these, oldest first. A key that is held already stays the same object, so tokens that
 * it verified stay verified.
 */
export function holdKeys(ctx: Context, schedules: readonly Scheduled[]): void {
  const { keyring } = ctx;
  const stored = schedules.map(({ row, signsFrom, goneFrom }) => {
    const { key, jwk } = keyring.held.get(row.kid) ?? published(openKey(ctx, row));
    return { key, jwk, signsFrom, goneFrom };
  });
  const shared = sharedKeys(ctx).map((key) => ({
    key,
    jwk: null,
    signsFrom: 0,
    goneFrom: Infinity,
  }));
  for (const kid of keyring.held.keys()) keyring.retiredKids.add(kid);
  keyring.held = new Map([...stored, ...shared].map((held) => [held.key.kid, held]));
  for (const kid of keyring.held.keys()) keyring.retiredKids.delete(kid);
}

/** True for a key that this instance holds or held once: a token that names it was genuine, but may be over. */
export const wasOurs = ({ keyring }: Context, kid: string): boolean =>
  keyring.retiredKids.has(kid) || keyring.held.has(kid);

/** The active key of the configured algorithm, or the oldest one when none is active yet. */
export function signingKey({ keyring, settings, clock }: Context): Key {
  const now = clock.now();
  const own = [...keyring.held.values()].filter(({ key }) => key.algorithm === settings.jwtAlg);
  const active = own.findLast(({ signsFrom }) => signsFrom <= now) ?? own[0];
  if (!active) throw new Error('The signing keys are not loaded yet.');
  return active.key;
}

/** The key of this id while it is valid. Looks in memory only: an id is never a path, a URL or a query. */
export function keyOf({ keyring, clock }: Context, kid: string): Key | undefined {
  const held = keyring.held.get(kid);
  return held && held.goneFrom > clock.now() ? held.key : undefined;
}

/** What others need to check our signatures (RFC 7517): every pending, active and retiring key. */
export function publicKeys({ keyring, clock }: Context): Jwk[] {
  const now = clock.now();
  return [...keyring.held.values()].flatMap(({ jwk, goneFrom }) =>
    jwk && goneFrom > now ? [jwk] : [],
  );
}

const published = (key: Key) => ({
  key,
  jwk: {
    ...key.verifyWith.export({ format: 'jwk' }),
    kid: key.kid,
    alg: key.algorithm,
    use: 'sig',
  },
});

/** True if these secrets open the private key. */
export const canOpen = (
  secrets: Secrets,
  { sealedPrivateKey }: Pick<SigningKey, 'sealedPrivateKey'>,
): boolean => secrets.unseal(SIGNING_KEY_PURPOSE, sealedPrivateKey) !== undefined;

/**
 * The public key is derived from the encrypted private key: an attacker who can only write to the table cannot add a
 * key of their own.
 */
function openKey({ secrets }: Context, { kid, algorithm, sealedPrivateKey }: SigningKey): Key {
  const opened = secrets.unseal(SIGNING_KEY_PURPOSE, sealedPrivateKey);
  if (!opened)
    throw new Error(
      'The signing keys in this database were sealed under another APP_SECRET. ' +
        'Give the server that secret back, as APP_SECRET or APP_SECRET_PREVIOUS; ' +
        'or, to start anew, empty the table signing_keys.',
    );
  const signWith = createPrivateKey(opened.plain);
  const verifyWith = createPublicKey(signWith);
  return Object.freeze({ kid, algorithm: algorithm as Algorithm, verifyWith, signWith });
}

/**
 * With JWT_ALG=HS256: the key JWT_SECRET. Its id must not help to guess the secret faster than a token would. So the id
 * is an HMAC, as hard to invert as a signature.
 */
function sharedKeys({ keyring, settings: { jwtAlg, jwtSecret } }: Context): Key[] {
  if (jwtAlg !== 'HS256') return [];
  const key = createSecretKey(Buffer.from(jwtSecret!));
  const kid = createHmac('sha256', key).update('kid').digest('base64url');
  const held = keyring.held.get(kid)?.key;
  return [held ?? Object.freeze({ kid, algorithm: jwtAlg, verifyWith: key, signWith: key })];
}
