import { parse } from 'cookie';
import type { Request } from 'express';

type Headers = Pick<Request, 'headers'>;

/**
 * The values of all cookies of this name, in the order in which they were sent. There may be several: a page of a
 * neighbouring domain may have planted one.
 */
export const cookiesNamed = ({ headers }: Headers, name: string): string[] =>
  (headers.cookie ?? '').split(';').flatMap((pair) => parse(pair)[name] ?? []);

/** The value of the first cookie of this name. */
export const cookieOf = (req: Headers, name: string): string | undefined =>
  cookiesNamed(req, name)[0];
