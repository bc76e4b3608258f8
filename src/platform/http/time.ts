import { z } from 'zod';

/** RFC 3339, UTC, milliseconds. */
export const Time = z
  .date()
  .transform((date) => date.toISOString())
  .pipe(z.iso.datetime())
  .meta({ example: '2026-01-31T12:00:00.000Z' });
