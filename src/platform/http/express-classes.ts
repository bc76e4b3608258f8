import type { ServerOptions } from 'node:http';
import type { Express } from 'express';
import { nodeHttp } from '#src/platform/http/node-http';

type Classes = Pick<Required<ServerOptions>, 'IncomingMessage' | 'ServerResponse'>;

/**
 * The classes of requests and answers for the HTTP server of an app. Express changes the prototype of each request and
 * answer to its own, which costs as much as a guard does. What is made with that prototype stays as it is.
 */
export function expressClasses(app: Express): Classes {
  const { IncomingMessage, ServerResponse } = nodeHttp();
  class ExpressRequest extends IncomingMessage {}
  class ExpressResponse extends ServerResponse {}
  Object.setPrototypeOf(ExpressRequest.prototype, app.request);
  Object.setPrototypeOf(ExpressResponse.prototype, app.response);
  Object.assign(app, { request: ExpressRequest.prototype, response: ExpressResponse.prototype });
  return { IncomingMessage: ExpressRequest, ServerResponse: ExpressResponse as never };
}
