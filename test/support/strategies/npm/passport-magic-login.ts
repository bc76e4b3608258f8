import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import jwt from 'jsonwebtoken';
import { z } from 'zod';
import { defineStrategy, step, verify, type StrategyContext } from '#src/strategy-kit/strategy';

type Package = typeof import('passport-magic-login');
const { default: Magic } = createRequire(import.meta.url)('passport-magic-login') as Package;

const send = step({
  summary: 'Send a link',
  body: z.strictObject({ destination: z.email() }),
  returns: z.object({}),
  status: 202,
  async run({ destination }, { env, store }: StrategyContext<Record<string, string>>) {
    const id = randomUUID();
    await store.put(id, destination, 3600);
    const token = jwt.sign({ destination, id }, env['MAGIC_SECRET']!, { expiresIn: 3600 });
    await fetch(env['MAGIC_MAILER']!, { method: 'POST', body: token });
    return {};
  },
});
export default defineStrategy({
  name: 'passport-magic-login',
  kind: 'login',
  summary: 'Sign in with a link from an e-mail',
  env: z.object({ MAGIC_SECRET: z.string(), MAGIC_MAILER: z.url() }),
  credentials: z.strictObject({ token: z.string() }),
  steps: { send },
  create({ env: { MAGIC_SECRET: secret }, store, resolveUser }) {
    const find = verify(async ({ id = '' }: { id?: string }) => {
      const email = await store.take<string>(id); // a link works once
      return email ? resolveUser({ subject: email, email, emailVerified: true }) : null;
    });
    const options = { secret, callbackUrl: '', sendMagicLink: async () => {} };
    return new Magic({ ...options, verify: find as never });
  },
});
