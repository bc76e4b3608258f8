import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';
import { startDefaults } from '#src/platform/http/default-headers';

const ID: unique symbol = Symbol('request id');
interface WithId {
  [ID]?: string;
}

const HARMLESS = /^[A-Za-z0-9-]{1,64}$/;

/** The caller's own id if it is harmless, else a new one. */
export function newRequestId({ headers }: Pick<Request, 'headers'>): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && HARMLESS.test(given) ? given : randomUUID();
}

/** The id of the request that is answered. Undefined in a host app's own routes. */
export const requestIdOf = (res: Response): string | undefined => (res as WithId)[ID];

export function setRequestId(res: Response, id: string): void {
  (res as WithId)[ID] = id;
  startDefaults(res, ['X-Request-Id', id]);
}
