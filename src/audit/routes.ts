import { z } from 'zod';
import { exportEntries, listEntries } from '#src/audit/list';
import { AuditFilter, AuditQuery } from '#src/audit/query';
import { verifyPart } from '#src/audit/verify';
import { authenticate, requirePermission } from '#src/authentication/guards';
import type { Context } from '#src/context';
import { SealedPage } from '#src/platform/http/cursor';
import { Listing } from '#src/platform/http/listing';
import { get, type Route } from '#src/platform/http/route';
import { sendPieces } from '#src/platform/http/send-pieces';
import { Time } from '#src/platform/http/time';

const AuditEntry = z
  .object({
    seq: z.int().nullable().meta({
      description: 'The place in the trail. Null for a moment, until the entry is sealed.',
    }),
    id: z.uuid(),
    type: z.string().meta({ description: 'The event.', example: 'session.started' }),
    version: z.int(),
    actor: z
      .string()
      .nullable()
      .meta({ description: 'The user or service who did it, if one did.' }),
    actorKind: z.string().meta({
      description:
        '`user`, `service`, `anonymous`, `cli`, `server`, or `app` for code that embeds the server.',
    }),
    onBehalfOf: z.string().nullable(),
    subject: z.string().nullable().meta({ description: 'The user whom it is about.' }),
    sessionId: z.string().nullable(),
    ip: z.string().nullable(),
    requestId: z.string().nullable(),
    details: z.record(z.string(), z.unknown()),
    createdAt: Time,
  })
  .meta({ id: 'AuditEntry' });
const AuditEntryPage = Listing(AuditEntry);

const AuditExport = z.string().meta({
  id: 'AuditExport',
  description: 'One JSON object a line: an AuditEntry with its proofs.',
});

const AuditVerification = z
  .object({
    ok: z.boolean(),
    entries: z.int(),
    firstSeq: z.int(),
    lastSeq: z.int(),
    lastHash: z.string(),
    faults: z.array(
      z.object({
        fault: z.string(),
        seq: z.int().nullable(),
        to: z.int().optional(),
        id: z.string().optional(),
        day: z.string().optional(),
      }),
    ),
    nextCursor: z.string().nullable(),
  })
  .meta({ id: 'AuditVerification' });

export const auditRoutes = (ctx: Context): Route[] => [
  get(
    '/admin/audit',
    [authenticate(ctx), requirePermission('audit:read')],
    {
      operationId: 'listAuditEntries',
      tag: 'Administration',
      summary: 'List the audit trail, the newest first',
      description:
        'A page may be empty and have a `nextCursor`: with several filters, one page looks at 10,000 entries at most.',
      query: AuditQuery,
      returns: AuditEntryPage,
    },
    (req) => listEntries(ctx, req.query),
  ),

  get(
    '/admin/audit/export',
    [authenticate(ctx), requirePermission('audit:read')],
    {
      operationId: 'exportAuditEntries',
      tag: 'Administration',
      summary: 'Export the audit trail, the oldest first',
      description:
        'One JSON object a line, with `keyId`, `mac` and `hash`. Characters that are not seen are escaped. An answer that breaks off is not whole.',
      query: AuditFilter,
      returns: AuditExport,
      text: 'application/x-ndjson',
    },
    async (req, res) => {
      const lines = exportEntries(ctx, req.query);
      await sendPieces(res, 'application/x-ndjson', lines);
      return '';
    },
  ),

  get(
    '/admin/audit/verify',
    [authenticate(ctx), requirePermission('audit:read')],
    {
      operationId: 'verifyAudit',
      tag: 'Administration',
      summary: 'Verify the audit trail',
      description:
        'One request reads 10,000 entries at most: go on with `nextCursor` until it is null. All of it is whole if each part is `ok`. `faults` are the first hundred. `changed`: not as the server wrote it. `missing`: entries up to `to` were taken out. `moved`: not at its place. `unknown_key`: the key of its proof is lost. `day_changed`, `ends_changed`: what says how long the trail is was changed. `unproved`: the server found that itself. `surplus`: behind the end.',
      query: SealedPage.pick({ cursor: true }),
      returns: AuditVerification,
    },
    (req) => verifyPart(ctx, req.query.cursor),
  ),
];
