import type { Request } from 'express';
import { Strategy as JwtStrategy, type VerifiedCallback } from 'passport-jwt';
import { bearerToken } from '#src/platform/http/credential-headers';
import { provenKeyOf } from '#src/platform/http/proven-key';
import { defineStrategy, verify, type StrategyContext } from '#src/strategy-kit/strategy';

type Sessions = StrategyContext['auth']['sessions'];
type Claims = Awaited<ReturnType<Sessions['verifyAccessToken']>>;
type Principal = NonNullable<ReturnType<Sessions['recall']>>;

type Done = (error: unknown, claims?: unknown) => void;
interface JwtVerifier {
  (token: string, key: unknown, options: unknown, done: Done): void;
  [DISPATCHES]?: true;
}
/**
 * Stands in the place of the key of passport-jwt. It is no key material, so the library itself
 * would accept no token with it.
 */
interface AccessTokenVerifier {
  [VERIFY](token: string, done: Done): void;
}

// Registered symbols: several copies of this file in one process install one dispatcher.
const DISPATCHES: unique symbol = Symbol.for('sallyport.jwt.dispatches') as never;
const VERIFY: unique symbol = Symbol.for('sallyport.jwt.verify') as never;

const isVerifier = (key: unknown): key is AccessTokenVerifier =>
  typeof key === 'object' && key !== null && VERIFY in key;

/**
 * `JwtVerifier` is the only place where passport-jwt lets others check a token. Ours pins one
 * algorithm to each key, requires every claim and caches what it has checked. The dispatcher is
 * installed once a process and has no state. The key says which verifier checks a token. Other
 * strategies that are built on passport-jwt keep the check of the library.
 */
function installDispatcher(): void {
  const library = JwtStrategy as unknown as { JwtVerifier: JwtVerifier };
  const original = library.JwtVerifier;
  if (original[DISPATCHES]) return;
  const dispatch: JwtVerifier = (token, key, options, done) => {
    if (!isVerifier(key)) return original(token, key, options, done);
    key[VERIFY](token, done);
  };
  library.JwtVerifier = Object.assign(dispatch, { [DISPATCHES]: true as const });
}

export default defineStrategy({
  name: 'jwt',
  kind: 'bearer',
  summary: 'Access token in the Authorization header',
  scheme: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The `accessToken` you got when signing in.',
  },
  create({ auth: { sessions } }) {
    installDispatcher();
    const verifier: AccessTokenVerifier = {
      [VERIFY](token, done) {
        const principal = sessions.recall(token);
        if (principal) done(null, principal);
        else sessions.verifyAccessToken(token).then((claims) => done(null, claims), done);
      },
    };
    const resume = verify(async (claims: Claims, key: string | undefined) =>
      sessions.resume(claims, key),
    );
    return new JwtStrategy(
      {
        jwtFromRequest: bearerToken,
        secretOrKey: verifier as unknown as Buffer,
        passReqToCallback: true,
      },
      (req: Request, found: Claims | Principal, done: VerifiedCallback) =>
        'sid' in found ? resume(found, provenKeyOf(req), done) : done(null, found),
    );
  },
});
