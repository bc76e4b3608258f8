import { Strategy } from 'passport-http-bearer';
import { z } from 'zod';
import { defineStrategy, verify } from '#src/strategy-kit/strategy';

export default defineStrategy({
  name: 'passport-http-bearer',
  kind: 'bearer',
  summary: 'An opaque token in the Authorization header',
  env: z.object({ OPAQUE_TOKEN: z.string() }),
  scheme: { type: 'http', scheme: 'bearer' },
  create: ({ env, resolveUser }) =>
    new Strategy(
      verify(async (token: string) =>
        token === env.OPAQUE_TOKEN ? resolveUser({ subject: 'opal', username: 'opal' }) : null,
      ),
    ),
});
