import { BasicStrategy } from 'passport-http';
import { z } from 'zod';
import { defineStrategy, verify } from '#src/strategy-kit/strategy';

export default defineStrategy({
  name: 'passport-http-basic',
  kind: 'bearer',
  summary: 'Username and password with every request',
  env: z.object({ HTTP_BASIC: z.literal('on') }),
  scheme: { type: 'http', scheme: 'basic' },
  create: ({ auth }) =>
    new BasicStrategy(
      verify((name: string, password: string) => auth.users.verifyPassword(name, password)),
    ),
});
