/** State of this instance that `/readyz` reports. */
export interface Health {
  /** True while the process is stopping: `/readyz` answers 503, and no connection is kept open. */
  draining: boolean;
}
export const createHealth = (): Health => ({ draining: false });
