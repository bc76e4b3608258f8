import type { StrategyCreatedStatic } from 'passport';
import { Strategy } from 'passport-totp';
import { z } from 'zod';
import { defineStrategy } from '#src/strategy-kit/strategy';

type Done = (...args: unknown[]) => void;
export default defineStrategy({
  name: 'passport-totp',
  kind: 'login',
  summary: 'Sign in with a password and the code of an app',
  env: z.object({ TOTP_KEY: z.string() }),
  credentials: z.strictObject({ username: z.string(), password: z.string(), code: z.string() }),
  create({ env, auth }) {
    const totp = new Strategy({ window: 1 }, (_user: object, done: Done) =>
      done(null, env.TOTP_KEY, 30),
    );
    return Object.assign(totp, {
      async authenticate(
        this: StrategyCreatedStatic,
        req: { user: unknown; body: Record<string, string> },
      ) {
        const { username, password } = req.body;
        req.user = await auth.users.verifyPassword(username!, password!); // the package checks only the code
        return req.user ? Strategy.prototype.authenticate.call(this, req) : this.fail();
      },
    });
  },
});
