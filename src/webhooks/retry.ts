import { HOUR_MS, MINUTE_MS } from '#src/lifetimes';

const FIRST_PAUSE_MS = 5000;
/** The longest pause of one delivery. */
const LONGEST_PAUSE_MS = HOUR_MS;
/** The longest pause of a webhook whose receiver is down: it is tried so often at least. */
const LONGEST_REST_MS = 5 * MINUTE_MS;

/** 5 s, 10 s, 20 s … up to `longest`. Up to a tenth longer by chance, so that not all are due at the same time. */
const pause = (failures: number, longest: number): number =>
  Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 30), longest) * (1 + Math.random() / 10);

/** Milliseconds until a delivery is tried again after so many attempts. */
export const pauseOfDelivery = (attempts: number): number => pause(attempts, LONGEST_PAUSE_MS);

/** Milliseconds for which nothing is sent to a webhook after so many failures without a success between. */
export const pauseOfWebhook = (failures: number, retryAfterSeconds = 0): number =>
  Math.max(pause(failures, LONGEST_REST_MS), Math.min(retryAfterSeconds * 1000, HOUR_MS));
