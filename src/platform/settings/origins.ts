import { createRequire } from 'node:module';
import { list } from '#src/platform/settings/types';

/** Pages of these schemes have no origin of their own (`null`), or it never stands in a header `Origin`. */
const NEVER = /^(about|blob|data|file|filesystem|ftp|javascript|ws|wss|view-source|null):/;
/** An origin of an app: `capacitor://localhost`. Browsers send it in small letters, without a path. */
const APP = /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9]([a-z0-9._-]*[a-z0-9])?(:[1-9]\d{0,4})?$/;
const PATTERN = /^(https?:\/\/)\*\.([a-z0-9.-]+(:\d+)?)$/;

/**
 * True if a browser can send this as `Origin` (RFC 6454 §7), or if it is a pattern: `https://*.example.com` is each
 * direct subdomain. A pattern over a public suffix (`*.com`, `*.vercel.app`) would let everybody in who can have a name there.
 */
function isOrigin(text: string): boolean {
  const [, scheme, rest] = PATTERN.exec(text) ?? [];
  if (scheme && rest)
    return isWebOrigin(`${scheme}${rest}`) && isOwnable(rest.replace(/:\d+$/, ''));
  if (/^https?:/.test(text)) return isWebOrigin(text);
  return APP.test(text) && !NEVER.test(text);
}

const isWebOrigin = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const { origin, hostname } = new URL(text);
  const labels = hostname.startsWith('[') ? [] : hostname.replace(/\.$/, '').split('.');
  return origin === text && labels.every((label) => /^[^*]{1,63}$/.test(label));
};

/** A domain that one owner has: below a public suffix, private ones such as github.io included; or this machine. */
function isOwnable(host: string): boolean {
  if (host === 'localhost') return true;
  // Loaded for a pattern only: the list of public suffixes takes 2 MB.
  const { parse } = createRequire(import.meta.url)('tldts') as typeof import('tldts');
  return parse(host, { allowPrivateDomains: true }).domain !== null;
}

/** What `cors` compares an `Origin` with: a text, or the expression of a pattern. */
export const originMatcher = (allowed: string): string | RegExp => {
  const [scheme, rest] = allowed.split('*.');
  if (rest === undefined) return allowed;
  const escaped = [scheme!, rest].map((text) => text.replaceAll(/[.[\]:/]/g, String.raw`\$&`));
  return new RegExp(`^${escaped.join(String.raw`[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?\.`)}$`);
};

/** True if a page of this origin may call the API. */
export const isAllowedOrigin = (allowed: readonly string[], origin: string): boolean =>
  allowed
    .map(originMatcher)
    .some((each) => (typeof each === 'string' ? each === origin : each.test(origin)));

export const allowedOrigins = list
  .refine(
    (origins) => origins.every(isOrigin),
    'must be a comma-separated list of origins as browsers send them: https://app.example.com, capacitor://localhost, or https://*.example.com for each direct subdomain of a domain that is yours, in small letters, without a path, a slash at the end or the default port; `*` is not one',
  )
  .default([])
  .describe(
    'Web origins whose pages may call this API (CORS), comma-separated: https://app.example.com, the scheme of an app (capacitor://localhost), or https://*.example.com for each direct subdomain. Default: none. With a compatibility adapter on and everything on loopback: http://localhost:8081, where the front ends of the tutorials run.',
  );

/** Browsers send these of themselves or not at all, so no preflight asks for them (https://fetch.spec.whatwg.org/#forbidden-request-header). */
const FORBIDDEN =
  /^(accept-charset|accept-encoding|access-control-.*|connection|content-length|cookie2?|date|dnt|expect|host|keep-alive|origin|referer|set-cookie|te|trailer|transfer-encoding|upgrade|via|proxy-.*|sec-.*)$/i;

export const corsAllowedHeaders = list
  .refine(
    (names) =>
      names.every(
        (name) => /^[!#$%&'*+.^`|~\w-]+$/.test(name) && name !== '*' && !FORBIDDEN.test(name),
      ),
    'must be a comma-separated list of names of headers that a page can set, such as X-Tenant; `*` is not one',
  )
  .default([])
  .describe(
    'More request headers that pages of ALLOWED_ORIGINS may send, comma-separated. Always allowed: Authorization, Content-Type, X-Request-Id, x-access-token, and those of tracing (traceparent, tracestate, sentry-trace, baggage).',
  );
