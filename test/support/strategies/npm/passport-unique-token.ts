import { UniqueTokenStrategy } from 'passport-unique-token';
import { z } from 'zod';
import { defineStrategy, verify } from '#src/strategy-kit/strategy';

export default defineStrategy({
  name: 'passport-unique-token',
  kind: 'bearer',
  summary: 'A token of a device',
  env: z.object({ DEVICE_TOKEN: z.string() }),
  scheme: { type: 'apiKey', in: 'header', name: 'X-Device-Token' },
  create: ({ env, resolveUser }) =>
    new UniqueTokenStrategy(
      { tokenHeader: 'X-Device-Token' },
      verify(async (token: string) =>
        token === env.DEVICE_TOKEN ? resolveUser({ subject: 'dev', username: 'devina' }) : null,
      ),
    ),
});
