import { ExtractJwt, Strategy } from 'passport-jwt';
import { z } from 'zod';
import { defineStrategy, verify } from '#src/strategy-kit/strategy';

export default defineStrategy({
  name: 'passport-jwt',
  kind: 'bearer',
  summary: 'A token of another issuer',
  env: z.object({ PARTNER_ISSUER: z.url(), PARTNER_SECRET: z.string() }),
  scheme: { type: 'apiKey', in: 'header', name: 'X-Partner-Token' },
  create({ env, resolveUser }) {
    const jwtFromRequest = ExtractJwt.fromHeader('x-partner-token');
    return new Strategy(
      {
        jwtFromRequest,
        secretOrKey: env.PARTNER_SECRET,
        algorithms: ['HS256'],
        issuer: env.PARTNER_ISSUER,
      },
      verify(async ({ sub }: { sub: string }) => resolveUser({ subject: sub, username: sub })),
    );
  },
});
