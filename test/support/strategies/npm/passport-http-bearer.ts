import { Strategy } from 'passport-http-bearer';
import { z } from 'zod';
import { defineStrategy, verify } from '#src/http/strategy';

export default defineStrategy({
  name: 'passport-http-bearer',
  kind: 'bearer',
  summary: 'An opaque token in the Authorization header',
  env: z.object({ OPAQUE_TOKEN: z.string() }),
  scheme: { type: 'http', scheme: 'bearer' },
  create: ({ env, userOf }) =>
    new Strategy(verify(async (token: string) => (token === env.OPAQUE_TOKEN ? userOf({ subject: 'opal', username: 'opal' }) : null))),
});
