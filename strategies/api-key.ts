import { z } from 'zod';
import { custom, defineStrategy } from '#src/strategy-kit/strategy';

export default defineStrategy({
  name: 'api-key',
  kind: 'bearer',
  summary: 'A key that a user made for a script',
  env: z.object({
    API_KEYS: z.literal('on').describe('`on` lets users make keys for scripts, at /me/api-keys.'),
  }),
  scheme: {
    type: 'apiKey',
    in: 'header',
    name: 'X-API-Key',
    description: 'From `POST /me/api-keys`.',
  },
  create: ({ auth }) =>
    custom(async (req) => {
      const key = req.get('x-api-key');
      return key === undefined ? null : auth.apiKeys.resume(key);
    }),
});
