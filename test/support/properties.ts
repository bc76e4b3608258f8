import { long } from '#test/support/rounds';

/** How often each property is tried: 1000 times, or as often as PROPERTY_RUNS says. */
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? (long ? 10_000 : 1000));

/** For `fc.assert`. `values`: how many values one run tries. Together the runs try as many as there should be runs. */
export const runs = (values = 1) => ({ numRuns: Math.ceil(RUNS / values) });
