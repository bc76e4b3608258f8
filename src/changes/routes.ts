import type { Response } from 'express';
import { z } from 'zod';
import { authenticateService } from '#src/authentication/authenticate-service';
import { Change } from '#src/changes/catalogue';
import { pollChanges } from '#src/changes/poll';
import type { Context } from '#src/context';
import { get, type Route } from '#src/platform/http/route';

/** Longest wait, in seconds. A connection on which nothing is written for 30 is closed. */
const LONGEST_WAIT = 25;

const ChangesQuery = z.strictObject({
  after: z
    .string()
    .regex(/^[\w-]{1,1000}$/)
    .optional()
    .meta({ description: '`cursor` of the answer before. Leave it out to begin.' }),
  wait: z
    .string()
    .regex(/^\d{1,2}$/, 'A whole number')
    .transform(Number)
    .pipe(z.int().min(0).max(LONGEST_WAIT))
    .default(0)
    .meta({
      description: 'How many seconds to wait for a change.',
      override: ({ jsonSchema }: { jsonSchema: object }) => {
        Object.assign(jsonSchema, { type: 'integer', minimum: 0, maximum: LONGEST_WAIT });
        delete (jsonSchema as { pattern?: string }).pattern; // that of the string
      },
    }),
});

const ChangeList = z
  .object({
    after: z.string().nullable().meta({ description: 'The cursor that was asked with.' }),
    cursor: z.string().meta({ description: 'Send it as `after` next time.' }),
    reset: z.boolean().meta({
      description:
        'Begin anew: forget what you know of every session. True for the first answer, and for a cursor that is too old or of another database.',
    }),
    changes: z.array(Change),
    more: z.boolean().meta({ description: 'There is more. Ask again at once.' }),
    waitedMs: z.int().meta({
      description:
        'How long after your question the server looked for the last time, in milliseconds. Nothing that was sealed before is missing.',
    }),
  })
  .meta({ id: 'ChangeList' });

export const changeRoutes = (ctx: Context): Route[] => [
  get(
    '/oauth/changes',
    [authenticateService(ctx, 'changes')],
    {
      operationId: 'listChanges',
      tag: 'Services',
      summary: 'Wait for changes of sessions, users and roles',
      description:
        'For a service that keeps what introspection says. Sessions that ended, users who were disabled or deleted, roles and permissions that changed, in their order, within a second. A session that expires is not told.',
      query: ChangesQuery,
      returns: ChangeList,
      problems: ['rate_limited', 'unavailable'],
    },
    ({ query: { after, wait }, service }, res) =>
      pollChanges(ctx, after, { service: service.id, until: endOf(res, wait) }),
  ),
];

/** After so many seconds, or when the client has gone. */
function endOf(res: Response, seconds: number): AbortSignal {
  if (seconds === 0) return AbortSignal.abort();
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(), seconds * 1000).unref();
  res.once('close', () => {
    clearTimeout(timer);
    ending.abort();
  });
  return ending.signal;
}
