import { BasicStrategy } from 'passport-http';
import { z } from 'zod';
import { defineStrategy, verify } from '#src/http/strategy';
import { verifyCredentials } from '#src/users/credentials';

export default defineStrategy({
  name: 'passport-http-basic',
  kind: 'bearer',
  summary: 'Username and password with every request',
  env: z.object({ HTTP_BASIC: z.literal('on') }),
  scheme: { type: 'http', scheme: 'basic' },
  create: () => new BasicStrategy(verify(verifyCredentials)),
});
