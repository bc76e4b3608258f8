import { Strategy } from 'passport-trusted-header';
import { z } from 'zod';
import { defineStrategy, verify } from '#src/strategy-kit/strategy';

export default defineStrategy({
  name: 'passport-trusted-header',
  kind: 'bearer',
  summary: 'A name from a proxy that knows a password',
  env: z.object({ PROXY_PASSWORD: z.string() }),
  scheme: { type: 'apiKey', in: 'header', name: 'X-Proxy-User' },
  create: ({ env, resolveUser }) =>
    new Strategy(
      { headers: ['x-proxy-user', 'x-proxy-password'] },
      verify(
        async ({ 'x-proxy-user': user, 'x-proxy-password': password }: Record<string, string>) =>
          password === env.PROXY_PASSWORD ? resolveUser({ subject: user!, username: user }) : null,
      ),
    ),
});
