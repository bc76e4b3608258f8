import type { Response } from 'express';

/** Names and values by turns, as `writeHead` takes them. */
export type HeaderList = readonly string[];

const DEFAULTS: unique symbol = Symbol('default headers');
interface WithDefaults {
  [DEFAULTS]?: string[] | undefined;
}

/** Begins the list anew: a request whose body turns out to be broken passes through the app a second time. */
export function startDefaults(res: Response, headers: HeaderList): void {
  (res as WithDefaults)[DEFAULTS] = undefined;
  addDefaults(res, headers);
}

/**
 * Adds headers that an answer has unless it sets them itself. They are added when its head is written, all at once. What a
 * host app set before is replaced.
 */
export function addDefaults(res: Response, headers: HeaderList): void {
  if (res.getHeaderNames().length > 0)
    for (let i = 0; i < headers.length; i += 2) res.removeHeader(headers[i]!);
  ((res as WithDefaults)[DEFAULTS] ??= []).push(...headers);
}

type WriteHead = (this: Response, status: number, ...rest: unknown[]) => Response;

/**
 * Makes every answer with this prototype add its default headers. Setting fifteen headers one by one costs more than the
 * guard of a request: where an answer has set none, all of them are handed to Node in one list.
 */
export function addDefaultHeaders(response: Response): void {
  const { writeHead } = response as unknown as { writeHead: WriteHead };
  function withDefaults(this: Response, status: number, ...rest: unknown[]): Response {
    const defaults = (this as WithDefaults)[DEFAULTS];
    if (!defaults) return writeHead.call(this, status, ...rest);
    (this as WithDefaults)[DEFAULTS] = undefined;
    const [headers] = rest;
    if (Array.isArray(headers) && this.getHeaderNames().length === 0)
      return writeHead.call(this, status, defaults.concat(headers));
    for (let i = 0; i < defaults.length; i += 2)
      if (!this.hasHeader(defaults[i]!)) this.setHeader(defaults[i]!, defaults[i + 1]!);
    return writeHead.call(this, status, ...rest);
  }
  response.writeHead = withDefaults as Response['writeHead'];
}
