import { createHash, createHmac, createPrivateKey, createPublicKey, createSecretKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { UniqueConstraintError } from 'sequelize';
import { SigningKey } from '#models/index';
import { config } from '#src/config';
import { seal, unseal } from '#src/core/secrets';

type Algorithm = 'ES256' | 'RS256' | 'HS256';

/** One key, one algorithm (RFC 8725 §3.1): what a token's header claims never chooses how its signature is checked. */
export interface Key {
  readonly kid: string;
  readonly algorithm: Algorithm;
  readonly verifyWith: KeyObject;
  readonly signWith: KeyObject;
}

const PURPOSE = 'signing-key';
const generate = promisify(generateKeyPair);
let keyring: ReadonlyMap<string, Key> = new Map();
let active: Key | undefined;

/** Fills the keyring from the database and makes the first key if there is none. Of several nodes that start at once, one makes it. */
export async function loadKeys(): Promise<void> {
  const signing = config.JWT_ALG === 'HS256' ? sharedKey(config.JWT_SECRET!) : await storedKey(config.JWT_ALG);
  const stored = (await SigningKey.findAll()).map(opened);
  keyring = new Map([...stored, signing].map((key) => [key.kid, key]));
  active = signing;
}

export function signingKey(): Key {
  if (!active) throw new Error('The signing keys are not loaded yet.');
  return active;
}

/** The key of this id, or undefined. A look-up in memory: an id is never a path, a URL or a query. */
export const keyOf = (kid: string): Key | undefined => keyring.get(kid);

async function storedKey(algorithm: 'ES256' | 'RS256'): Promise<Key> {
  const find = () => SigningKey.findOne({ where: { algorithm, active: true } });
  const row = (await find()) ?? (await make(algorithm)) ?? (await find());
  if (!row) throw new Error('The signing key that another node made is not there.');
  return opened(row);
}

/** Null when another node was first: the unique index on (algorithm, active) has one winner. */
async function make(algorithm: 'ES256' | 'RS256'): Promise<SigningKey | null> {
  const { publicKey, privateKey } =
    algorithm === 'ES256' ? await generate('ec', { namedCurve: 'P-256' }) : await generate('rsa', { modulusLength: 3072 });
  const sealedPrivateKey = seal(PURPOSE, privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
  try {
    return await SigningKey.create({ kid: thumbprint(publicKey), algorithm, active: true, sealedPrivateKey });
  } catch (error) {
    if (error instanceof UniqueConstraintError) return null;
    throw error;
  }
}

/** Both halves come out of the seal: who can only write to the table cannot add a key of their own. */
function opened({ kid, algorithm, sealedPrivateKey }: SigningKey): Key {
  let signWith: KeyObject;
  try {
    signWith = createPrivateKey(unseal(PURPOSE, sealedPrivateKey));
  } catch (cause) {
    throw new Error(
      'The signing keys in this database were sealed under another APP_SECRET. Give the server that secret back; or, to start anew, empty the table signing_keys.',
      { cause },
    );
  }
  return Object.freeze({ kid, algorithm: algorithm as Algorithm, verifyWith: createPublicKey(signWith), signWith });
}

/** The id must not help to guess the secret faster than a token would: it is as hard to invert as a signature. */
function sharedKey(secret: string): Key {
  const key = createSecretKey(Buffer.from(secret));
  return Object.freeze({
    kid: createHmac('sha256', key).update('kid').digest('base64url'),
    algorithm: 'HS256',
    verifyWith: key,
    signWith: key,
  });
}

/** RFC 7638: the required members in alphabetical order. */
function thumbprint(key: KeyObject): string {
  const { crv, e, kty, n, x, y } = key.export({ format: 'jwk' });
  return createHash('sha256')
    .update(JSON.stringify(kty === 'EC' ? { crv, kty, x, y } : { e, kty, n }))
    .digest('base64url');
}
