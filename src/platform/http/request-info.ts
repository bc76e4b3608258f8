import type { Response } from 'express';
import { clientIp } from '#src/platform/http/client-ip';
import { localeOf } from '#src/platform/http/language';
import type { Locale } from '#src/platform/messages/locales';

/**
 * What is known of the request that is being answered: see `RequestContext`. It is read when it is asked for. A class: the
 * functions of an object made for each request would be kept until the whole heap is collected.
 */
export class RequestInfo {
  readonly requestId: string;
  readonly #res: Response;

  constructor(requestId: string, res: Response) {
    this.requestId = requestId;
    this.#res = res;
  }

  isGone(): boolean {
    return this.#res.destroyed;
  }

  localeOr(otherwise: Locale): Locale {
    return localeOf(this.#res.req, otherwise);
  }

  get ip(): string | undefined {
    return clientIp(this.#res.req);
  }

  get user(): unknown {
    return this.#res.req.user;
  }
}
