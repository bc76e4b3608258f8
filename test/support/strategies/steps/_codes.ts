import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { Problem } from '#src/platform/http/problem';
import type { LimitRule } from '#src/platform/limits/limit-class';
import { DeviceInput } from '#src/strategy-kit/device-input';
import { custom, defineStrategy, step, type StrategyContext } from '#src/strategy-kit/strategy';

const SECONDS = 300;
const phone = z.string().regex(/^\+\d{6,15}$/);
/** No code is sent to numbers that begin with this. */
const REFUSED = '+999';

/** Signs in with a code that the step `request` sends to a phone, by way of a gateway. */
export const codeStrategy = (name: string, limit?: readonly LimitRule[]) =>
  defineStrategy({
    name,
    kind: 'login',
    summary: `Sign in with a code by ${name}`,
    env: z.object({ SMS_GATEWAY: z.url() }),
    credentials: z.strictObject({
      phone,
      code: z.string().regex(/^\d{6}$/),
      device: DeviceInput.optional(),
    }),
    account: { field: 'phone' },
    steps: {
      request: step({
        summary: `Ask for a code by ${name}`,
        body: z.strictObject({ phone }),
        returns: z.object({ seconds: z.int(), network: z.string() }),
        status: 202,
        ...(limit && { limit }),
        async run(body, { env, store }: StrategyContext<{ SMS_GATEWAY: string }>, { network }) {
          if (body.phone.startsWith(REFUSED)) throw new Problem('payload_too_large');
          const code = String(randomInt(1e6)).padStart(6, '0');
          await store.put(body.phone, code, SECONDS);
          const message = JSON.stringify({ name, phone: body.phone, code });
          await fetch(env.SMS_GATEWAY, { method: 'POST', body: message });
          return { seconds: SECONDS, network, code };
        },
      }),
    },
    create: ({ store, resolveUser }) =>
      custom(async (req) => {
        const given = req.body as { phone: string; code: string };
        const code = await store.take(given.phone);
        return code === given.code ? resolveUser({ subject: given.phone }) : null;
      }),
  });
