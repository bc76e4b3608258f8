import { createRequire } from 'node:module';
import { z } from 'zod';
import { isFirst } from '#src/core/one-time-tokens';
import { defineStrategy, verify } from '#src/http/strategy';

const { default: Magic } = createRequire(import.meta.url)('passport-magic-login') as typeof import('passport-magic-login');
export default defineStrategy({
  name: 'passport-magic-login',
  kind: 'login',
  summary: 'Sign in with a link from an e-mail',
  env: z.object({ MAGIC_SECRET: z.string() }),
  credentials: z.strictObject({ token: z.string() }),
  create({ env: { MAGIC_SECRET: secret }, userOf }) {
    const find = verify(async ({ destination: email, code, iat }: Record<'destination' | 'code' | 'iat', string>) =>
      (await isFirst('magic link', `${email} ${code} ${iat}`, 3600)) ? userOf({ subject: email, email, emailVerified: true }) : null,
    );
    return new Magic({ secret, callbackUrl: '', sendMagicLink: async () => {}, verify: find as never });
  },
});
