import { createSecretKey, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import type { Context } from '#src/context';
import { createKeyring, type Key } from '#src/keys/keyring';
import { createVerifiedTokens } from '#src/sessions/access-tokens';
import { ecdsa, hmac, rsa } from '#test/support/forge';
import { ecdsaVectors } from '#test/support/vectors/ecdsa';
import { encodingVectors } from '#test/support/vectors/encoding';
import { headerVectors } from '#test/support/vectors/headers';
import { hmacVectors } from '#test/support/vectors/hmac';
import { rsaVectors } from '#test/support/vectors/rsa';
import type { Algorithm, Source, Vector } from '#test/support/vectors/vector';

const OWN = { ES256: ecdsaVectors, RS256: rsaVectors, HS256: hmacVectors };

/** All vectors of one algorithm, in the kinds of Wycheproof's JSON Web Signature tests, with keys of our own. */
export const vectorsOf = (source: Source): Vector[] => [
  ...OWN[source.algorithm](source),
  ...encodingVectors(source),
  ...headerVectors(source),
];

function newKey(algorithm: Algorithm): Key {
  const kid = randomUUID();
  if (algorithm === 'HS256') {
    const secret = createSecretKey(randomBytes(32));
    return { kid, algorithm, verifyWith: secret, signWith: secret };
  }
  const { publicKey, privateKey } =
    algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { kid, algorithm, verifyWith: publicKey, signWith: privateKey };
}

const SIGNERS = { ES256: ecdsa, RS256: rsa, HS256: hmac };

/** A new key of this algorithm, and a good token under it, as this server writes it. */
export function newSource({ settings, clock }: Context, algorithm: Algorithm): Source {
  const key = newKey(algorithm);
  const iat = Math.floor(clock.now() / 1000);
  const signer = SIGNERS[algorithm](key.signWith);
  return {
    ...key,
    algorithm,
    header: { alg: algorithm, typ: 'at+jwt', kid: key.kid },
    claims: {
      iss: settings.jwtIssuer,
      aud: settings.jwtAudience,
      sub: randomUUID(),
      sid: randomUUID(),
      jti: randomUUID(),
      iat,
      exp: iat + settings.accessTokenTtl,
      gen: 0,
    },
    sign: (input) => Buffer.from(signer(input)),
  };
}

/** The same instance with this one key, and a memory of tokens of its own. */
export function withKey(ctx: Context, key: Omit<Key, 'signWith'>): Context {
  const held = {
    key: { ...key, signWith: key.verifyWith },
    jwk: null,
    signsFrom: 0,
    goneFrom: Infinity,
  };
  return {
    ...ctx,
    verifiedTokens: createVerifiedTokens(),
    keyring: { ...createKeyring(), held: new Map([[key.kid, held]]) },
  };
}
