import { z } from 'zod';
import { SealedPage } from '#src/platform/http/cursor';
import { Id } from '#src/platform/http/listing';

const Time = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

const filters = {
  actor: Id.optional().meta({ description: 'The user who did it.' }),
  subject: Id.optional().meta({ description: 'The user whom it is about.' }),
  type: z
    .string()
    .regex(/^[a-z_]{1,32}\.[a-z_]{1,31}$/)
    .optional()
    .meta({ description: 'The event.', example: 'session.started' }),
  after: Time.optional().meta({
    description: 'Not before this time (RFC 3339).',
    example: '2026-11-27T00:00:00Z',
  }),
  before: Time.optional().meta({ description: 'Before this time (RFC 3339).' }),
};

/** Which entries of the trail are asked for. */
export const AuditFilter = z.strictObject(filters);
export type AuditFilter = z.output<typeof AuditFilter>;

/** The query of the list. */
export const AuditQuery = SealedPage.extend(filters);
export type AuditQuery = z.output<typeof AuditQuery>;
