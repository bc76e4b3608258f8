import { DigestStrategy } from 'passport-http';
import { z } from 'zod';
import { defineStrategy } from '#src/strategy-kit/strategy';

export default defineStrategy({
  name: 'passport-http-digest',
  kind: 'bearer',
  summary: 'A digest of a password with every request',
  env: z.object({ DIGEST_USER: z.string(), DIGEST_PASSWORD: z.string() }),
  scheme: { type: 'http', scheme: 'digest' },
  create: ({ env, resolveUser }) =>
    new DigestStrategy({ realm: 'npm', qop: 'auth' }, (name, done) => {
      if (name !== env.DIGEST_USER) return done(null, false);
      resolveUser({ subject: name, username: name }).then(
        (user) => done(null, user, env.DIGEST_PASSWORD),
        done,
      );
    }),
});
