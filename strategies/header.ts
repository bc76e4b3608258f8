import type { Request } from 'express';
import { z } from 'zod';
import { config } from '#src/config';
import { Problem } from '#src/core/problem';
import { isNobody } from '#src/core/vouched';
import { isLoopback } from '#src/core/setting-types';
import { custom, defineStrategy } from '#src/http/strategy';
import { domains, vouchedFor } from '#strategies/_email';

/** A number says how many proxies there are, not which: then only this machine is believed. */
const isTrusted = ({ socket: { remoteAddress = '' }, app }: Request): boolean =>
  Array.isArray(config.TRUST_PROXY)
    ? (app.get('trust proxy fn') as (address: string, hop: number) => boolean)(remoteAddress, 0)
    : isLoopback(remoteAddress.replace(/^::ffff:/, ''));

/** No name is longer, or has control characters in it. */
const PLAIN = /^\P{Cc}{1,512}$/u;

/** A proxy that adds its header to the one that a client sent has not been told to replace it. */
function only(req: Request, name: string): string | undefined {
  const [value, ...more] = req.headersDistinct[name.toLowerCase()] ?? [];
  if (more.length > 0 || (value && !PLAIN.test(value))) throw new Problem('invalid_request');
  return value || undefined;
}
/** These come with the requests of strangers, or say where they are from. */
const OTHERS = /^(authorization|cookie|host|origin|user-agent|forwarded|via|x-real-ip|x-forwarded-(for|host|port|proto))$/i;
const name = z
  .string()
  .regex(/^[a-zA-Z][\w-]+$/)
  .refine((header) => !OTHERS.test(header), 'must be a header that nobody but your proxy sends');

export default defineStrategy({
  name: 'header',
  kind: 'bearer',
  summary: 'A name that a trusted reverse proxy puts in a header',
  env: z.object({
    HEADER_USER: name.describe('Header in which your proxy names who is signed in. It must replace what clients send under this name.'),
    HEADER_EMAIL: name.optional().describe('Header in which it gives their e-mail address.'),
    HEADER_EMAIL_DOMAINS: domains,
  }),
  scheme: { type: 'apiKey', in: 'header', name: 'X-Forwarded-User', description: 'Set by a reverse proxy, under the name in HEADER_USER.' },
  create({ env, userOf }) {
    if (config.TRUST_PROXY === 0) throw new Error('it believes a proxy, and TRUST_PROXY names none');
    return custom(async (req) => {
      const subject = isTrusted(req) && only(req, env.HEADER_USER);
      if (!subject || isNobody(subject)) return null;
      const email = env.HEADER_EMAIL && only(req, env.HEADER_EMAIL);
      return userOf({ subject, username: subject, ...vouchedFor(email, env.HEADER_EMAIL_DOMAINS) });
    });
  },
});
