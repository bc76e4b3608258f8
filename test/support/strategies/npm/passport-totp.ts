import type { StrategyCreatedStatic } from 'passport';
import { Strategy } from 'passport-totp';
import { z } from 'zod';
import { defineStrategy } from '#src/http/strategy';
import { verifyCredentials } from '#src/users/credentials';

export default defineStrategy({
  name: 'passport-totp',
  kind: 'login',
  summary: 'Sign in with a password and the code of an app',
  env: z.object({ TOTP_KEY: z.string() }),
  credentials: z.strictObject({ username: z.string(), password: z.string(), code: z.string() }),
  create: ({ env }) =>
    Object.assign(new Strategy({ window: 1 }, (_user: object, done: (...args: unknown[]) => void) => done(null, env.TOTP_KEY, 30)), {
      async authenticate(this: StrategyCreatedStatic, req: { user: unknown; body: Record<'username' | 'password', string> }) {
        req.user = await verifyCredentials(req.body.username, req.body.password); // the package checks a code of somebody who is known
        return req.user ? Strategy.prototype.authenticate.call(this, req) : this.fail();
      },
    }),
});
