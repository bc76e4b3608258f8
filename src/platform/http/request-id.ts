import type { Response } from 'express';
import { startDefaults } from '#src/platform/http/default-headers';

const ID: unique symbol = Symbol('request id');
interface WithId {
  [ID]?: string;
}

/** The id of the request that is answered. Undefined in a host app's own routes. */
export const requestIdOf = (res: Response): string | undefined => (res as WithId)[ID];

export function setRequestId(res: Response, id: string): void {
  (res as WithId)[ID] = id;
  startDefaults(res, ['X-Request-Id', id]);
}
