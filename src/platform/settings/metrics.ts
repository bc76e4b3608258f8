import { z } from 'zod';
import { whole } from '#src/platform/settings/types';

/** Metrics have a port of their own, so that whoever reaches the server does not reach them. */
export const metricsSettings = {
  METRICS_PORT: whole(0, 65_535)
    .optional()
    .describe(
      'Port at which Prometheus gets metrics: GET /metrics. It is never the public one. Default: none, and nothing is counted.',
    ),
  METRICS_HOST: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe(
      'Address for METRICS_PORT. Whoever reaches it can read the metrics: no password is asked for.',
    ),
};

/** See `contradictions` in `settings/contradictions`. */
export const metricsContradictions = (
  { PORT, METRICS_PORT }: { PORT: number; METRICS_PORT?: number | undefined },
  given: Readonly<Record<string, unknown>>,
) => [
  METRICS_PORT !== undefined &&
    METRICS_PORT !== 0 &&
    METRICS_PORT === PORT &&
    'METRICS_PORT is the same as PORT: metrics are not for everybody who reaches the server',
  given['METRICS_HOST'] !== undefined &&
    METRICS_PORT === undefined &&
    'METRICS_HOST does nothing without METRICS_PORT: set both, or remove it',
];
