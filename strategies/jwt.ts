import { randomBytes } from 'node:crypto';
import { Strategy as JwtStrategy } from 'passport-jwt';
import { bearerToken } from '#src/http/bearer';
import { defineStrategy, verify } from '#src/http/strategy';
import { resumeSession } from '#src/sessions/sessions';
import { verifyAccessToken } from '#src/sessions/tokens';

type Verifier = (token: string, key: unknown, options: unknown, done: (error: unknown, claims?: unknown) => void) => void;
const library = JwtStrategy as unknown as { JwtVerifier: Verifier };

/** Handed to passport-jwt in place of a key: the real one is chosen by the token's `kid`. Random: were it ever used as one, nobody could sign with it. */
const OURS = randomBytes(32);

// passport-jwt's own seam for the check of a token. Ours pins one algorithm to each key, asks for every claim, and
// remembers what it has checked; Passport sees the same strategy, and other strategies built on the library keep its check.
const theirs = library.JwtVerifier;
library.JwtVerifier = (token, key, options, done) => {
  if (key !== OURS) return theirs(token, key, options, done);
  verifyAccessToken(token).then((claims) => done(null, claims), done);
};

export default defineStrategy({
  name: 'jwt',
  kind: 'bearer',
  summary: 'Access token in the Authorization header',
  scheme: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The `accessToken` you got when signing in.' },
  create: () => new JwtStrategy({ jwtFromRequest: bearerToken, secretOrKey: OURS }, verify(resumeSession)),
});
