import { Strategy as JwtStrategy } from 'passport-jwt';
import { ConnectionRefusedError } from 'sequelize';
import { defineStrategy } from '#src/strategy-kit/strategy';

/** passport-jwt whose keys are on another server, which is unavailable. */
export default defineStrategy({
  name: 'raw-jwt',
  kind: 'bearer',
  summary: 'passport-jwt with a key provider that fails',
  scheme: { type: 'apiKey', in: 'header', name: 'x-token' },
  create: () =>
    new JwtStrategy(
      {
        jwtFromRequest: (req) => (req.headers['x-token'] as string | undefined) ?? null,
        secretOrKeyProvider: (_req, _token, done) =>
          done(new ConnectionRefusedError(new Error('connect ECONNREFUSED'))),
      },
      (_claims: unknown, done: (error: unknown, user: false) => void) => done(null, false),
    ),
});
