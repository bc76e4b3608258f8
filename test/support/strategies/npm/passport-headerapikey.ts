import { HeaderAPIKeyStrategy } from 'passport-headerapikey';
import { z } from 'zod';
import { defineStrategy, verify } from '#src/strategy-kit/strategy';

export default defineStrategy({
  name: 'passport-headerapikey',
  kind: 'bearer',
  summary: 'A key in a header',
  env: z.object({ PARTNER_KEY: z.string() }),
  scheme: { type: 'apiKey', in: 'header', name: 'X-Partner-Key' },
  create: ({ env, resolveUser }) =>
    new HeaderAPIKeyStrategy(
      { header: 'X-Partner-Key', prefix: 'Key ' },
      false,
      verify(async (key: string) =>
        key === env.PARTNER_KEY ? resolveUser({ subject: 'kay', username: 'kaykay' }) : null,
      ),
    ),
});
