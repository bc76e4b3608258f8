import type { Request } from 'express';
import { z } from 'zod';
import { Problem } from '#src/platform/http/problem';
import { isLoopback } from '#src/platform/settings/types';
import { isNobody } from '#src/strategy-kit/provider-profile';
import { custom, defineStrategy, type StrategyContext } from '#src/strategy-kit/strategy';
import { domains, emailClaims } from '#strategies/_email';

type TrustProxy = StrategyContext['settings']['trustProxy'];

/**
 * True when the request comes from a trusted proxy. A number in TRUST_PROXY says how many proxies
 * there are, not which: then only a proxy on this machine is trusted.
 */
const isTrusted = (trustProxy: TrustProxy, { socket, app }: Request): boolean => {
  const { remoteAddress = '' } = socket;
  if (!Array.isArray(trustProxy)) return isLoopback(remoteAddress.replace(/^::ffff:/, ''));
  const trusts = app.get('trust proxy fn') as (address: string, hop: number) => boolean;
  return trusts(remoteAddress, 0);
};

/** A name or address: up to 512 characters, none of them a control character. */
const PLAIN = /^\P{Cc}{1,512}$/u;

/**
 * The only value of a header. With two values, the proxy adds its header to that of the client
 * instead of replacing it, and the first one is not to be trusted.
 * @throws {Problem} 400 `invalid_request`
 */
function onlyValueOf(req: Request, name: string): string | undefined {
  const [value, ...more] = req.headersDistinct[name.toLowerCase()] ?? [];
  if (more.length > 0 || (value && !PLAIN.test(value))) throw new Problem('invalid_request');
  return value || undefined;
}

/** The name of somebody that a trusted proxy sends. @throws {Problem} 400 `invalid_request` */
function nameIn(
  req: Request,
  { HEADER_USER }: { HEADER_USER: string },
  { trustProxy }: StrategyContext['settings'],
): string | undefined {
  const name = isTrusted(trustProxy, req) ? onlyValueOf(req, HEADER_USER) : undefined;
  return name === undefined || isNobody(name) ? undefined : name;
}

/** Clients send these, or they describe the connection. */
const CLIENT_HEADERS =
  /^(authorization|cookie|host|origin|user-agent|forwarded|via|x-real-ip|x-forwarded-(for|host|port|proto))$/i;
const headerName = z
  .string()
  .regex(/^[a-zA-Z][\w-]+$/)
  .refine((header) => !CLIENT_HEADERS.test(header), 'must be a header that only your proxy sends');

export default defineStrategy({
  name: 'header',
  kind: 'bearer',
  summary: 'A name that a trusted reverse proxy puts in a header',
  env: z.object({
    HEADER_USER: headerName.describe(
      'Header in which your proxy names the user who is signed in. The proxy must replace what clients send under this name.',
    ),
    HEADER_EMAIL: headerName
      .optional()
      .describe('Header in which your proxy sends the e-mail address of the user.'),
    HEADER_EMAIL_DOMAINS: domains,
  }),
  scheme: ({ HEADER_USER }) => ({
    type: 'apiKey',
    in: 'header',
    name: HEADER_USER,
    description: 'Set by a reverse proxy.',
  }),
  isCredential: (req, { env, settings }) => nameIn(req, env, settings) !== undefined,
  create({ env, settings, resolveUser }) {
    if (settings.trustProxy === 0)
      throw new Error('it believes a proxy, and TRUST_PROXY names none');
    return custom(async (req) => {
      const subject = nameIn(req, env, settings);
      if (subject === undefined) return null;
      const email = env.HEADER_EMAIL && onlyValueOf(req, env.HEADER_EMAIL);
      return resolveUser({
        subject,
        username: subject,
        ...emailClaims(email, env.HEADER_EMAIL_DOMAINS),
      });
    });
  },
});
