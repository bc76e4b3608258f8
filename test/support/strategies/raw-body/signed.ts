import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { Problem } from '#src/platform/http/problem';
import { custom, defineStrategy, rawBodyOf } from '#src/strategy-kit/strategy';

/** A request whose body is signed is one of SIGNED_USER. The signature is an HMAC with SHA-256, in hex. */
export default defineStrategy({
  name: 'signed',
  kind: 'bearer',
  summary: 'A signature over the body',
  env: z.object({ SIGNED_KEY: z.string().min(32), SIGNED_USER: z.string() }),
  scheme: { type: 'apiKey', in: 'header', name: 'X-Signature' },
  rawBody: true,
  create: ({ env, auth }) =>
    custom(async (req) => {
      const signature = req.get('x-signature');
      if (signature === undefined) return null;
      const given = Buffer.from(signature, 'hex');
      const right = createHmac('sha256', env.SIGNED_KEY).update(rawBodyOf(req)).digest();
      if (given.length !== right.length || !timingSafeEqual(given, right))
        throw new Problem('token_invalid');
      return auth.users.find(env.SIGNED_USER);
    }),
});
