import { parse } from 'cookie';
import type { Request } from 'express';
import type { Settings } from '#src/platform/settings/settings';

type Headers = Pick<Request, 'headers'>;

/**
 * The values of all cookies of this name, in the order in which they were sent. There may be several: a page of a
 * neighbouring domain may have planted one.
 */
export const cookiesNamed = ({ headers }: Headers, name: string): string[] =>
  (headers.cookie ?? '').split(';').flatMap((pair) => parse(pair)[name] ?? []);

/** Without TLS, on the machine of a developer, a browser refuses cookies that are marked as secure. */
export const isSecure = ({ publicUrl }: Pick<Settings, 'publicUrl'>): boolean =>
  publicUrl.startsWith('https:');

/**
 * A browser accepts `__Host-` only from this very host, over TLS and for every path, so no sibling domain can plant such a
 * cookie (RFC 6265bis §4.1.3.2).
 */
export const hostCookie = (settings: Pick<Settings, 'publicUrl'>, name: string): string =>
  `${isSecure(settings) ? '__Host-' : ''}${name}`;

/** The value of the first cookie of this name. */
export const cookieOf = (req: Headers, name: string): string | undefined =>
  cookiesNamed(req, name)[0];
