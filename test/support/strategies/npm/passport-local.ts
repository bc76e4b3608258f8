import { Strategy } from 'passport-local';
import { z } from 'zod';
import { defineStrategy, verify } from '#src/http/strategy';
import { verifyCredentials } from '#src/users/credentials';

export default defineStrategy({
  name: 'passport-local',
  kind: 'login',
  summary: 'Sign in with a username and a password',
  credentials: z.strictObject({ username: z.string(), password: z.string() }),
  create: () => new Strategy(verify(verifyCredentials)),
});
