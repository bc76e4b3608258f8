import { Strategy } from 'passport-local';
import { z } from 'zod';
import { defineStrategy, verify } from '#src/strategy-kit/strategy';

export default defineStrategy({
  name: 'passport-local',
  kind: 'login',
  summary: 'Sign in with a username and a password',
  credentials: z.strictObject({ username: z.string(), password: z.string() }),
  create: ({ auth }) =>
    new Strategy(
      verify((name: string, password: string) => auth.users.verifyPassword(name, password)),
    ),
});
