let draining = false;

/** From now on `/readyz` says no: the process is about to stop. */
export const stopBeingReady = (): void => {
  draining = true;
};
export const isDraining = (): boolean => draining;
