import { createHmac } from 'node:crypto';
import { Strategy } from 'passport-custom';
import { z } from 'zod';
import { defineStrategy, verify } from '#src/strategy-kit/strategy';

export default defineStrategy({
  name: 'passport-custom',
  kind: 'login',
  summary: 'Sign in with what another system has signed',
  env: z.object({ SIGNED_KEY: z.string() }),
  credentials: z.strictObject({ subject: z.string(), signature: z.string() }),
  create: ({ env, resolveUser }) =>
    new Strategy(
      verify(async ({ body: { subject, signature } }) =>
        signature === createHmac('sha256', env.SIGNED_KEY).update(subject).digest('hex')
          ? resolveUser({ subject, username: subject })
          : null,
      ),
    ),
});
