import { z } from 'zod';
import { custom, defineStrategy } from '#src/strategy-kit/strategy';

/** Switched on by its settings. */
export default defineStrategy({
  name: 'distant',
  kind: 'login',
  summary: 'Needs settings',
  env: z.object({ DISTANT_URL: z.url(), DISTANT_KEY: z.string().min(8) }),
  credentials: z.strictObject({ code: z.string() }),
  create: ({ env }) => {
    if (!env.DISTANT_URL || !env.DISTANT_KEY) throw new Error('was made without its settings');
    return custom(async () => null);
  },
});
