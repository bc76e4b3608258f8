import { Strategy as JwtStrategy } from 'passport-jwt';
import { bearerToken } from '#src/http/bearer';
import { defineStrategy, verify } from '#src/http/strategy';
import { resumeSession } from '#src/sessions/sessions';
import { verifyAccessToken, type Claims } from '#src/sessions/tokens';

type Verifier = (token: string, key: unknown, options: unknown, done: (error: unknown, claims?: Claims) => void) => void;

// passport-jwt's own seam for the check of a token. Ours pins one algorithm to each key, asks for every claim,
// and remembers what it has checked; Passport sees the same strategy.
(JwtStrategy as unknown as { JwtVerifier: Verifier }).JwtVerifier = (token, _key, _options, done) => {
  let claims: Claims;
  try {
    claims = verifyAccessToken(token);
  } catch (error) {
    return done(error);
  }
  done(null, claims);
};

export default defineStrategy({
  name: 'jwt',
  kind: 'bearer',
  summary: 'Access token in the Authorization header',
  scheme: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The `accessToken` you got when signing in.' },
  // The key is chosen by the token's `kid`, in verifyAccessToken.
  create: () =>
    new JwtStrategy({ jwtFromRequest: bearerToken, secretOrKeyProvider: (_req, _token, done) => done(null) }, verify(resumeSession)),
});
