import { z } from 'zod';
import { Id } from '#src/platform/http/listing';
import { Time } from '#src/platform/http/time';

const Count = z
  .object({
    value: z.int(),
    isExact: z.boolean().meta({ description: 'False: there are more.' }),
  })
  .meta({ id: 'Count' });
const happened = {
  signIns: z.array(
    z.object({
      strategy: z.string(),
      succeeded: z.int(),
      challenged: z.int().meta({ description: 'A second factor was asked for.' }),
      refused: z.int(),
    }),
  ),
  limits: z.array(z.object({ limit: z.string(), reached: z.int() })),
};
const DayStats = z
  .object({
    day: z.string().meta({ description: 'In UTC.', example: '2026-11-27' }),
    ...happened,
  })
  .meta({ id: 'DayStats' });
const HourStats = z
  .object({ hour: Time.meta({ description: 'When it began.' }), ...happened })
  .meta({ id: 'HourStats' });
export const Stats = z
  .object({
    users: Count,
    sessions: Count,
    mails: Count,
    days: z.array(DayStats).meta({ description: 'Days on which something happened.' }),
    hours: z.array(HourStats).meta({ description: 'Hours in which something happened.' }),
    isComplete: z.boolean().meta({
      description:
        'False: there were too many events to read all. The oldest days and hours are missing, or say too little.',
    }),
  })
  .meta({ id: 'Stats' });
/** How many of the last ones. */
const last = (most: number, otherwise: number) =>
  z
    .string()
    .regex(/^\d{1,2}$/, 'A whole number')
    .transform(Number)
    .pipe(z.int().min(1).max(most))
    .default(otherwise)
    .meta({
      override: ({ jsonSchema }: { jsonSchema: object }) => {
        const shown = { type: 'integer', minimum: 1, maximum: most, default: otherwise };
        Object.assign(jsonSchema, shown);
        delete (jsonSchema as { pattern?: string }).pattern; // that of the string
      },
    });
export const StatsQuery = z.strictObject({ days: last(30, 7), hours: last(48, 24) });

const Setting = z
  .object({
    name: z.string().meta({ example: 'PUBLIC_URL' }),
    value: z.string().nullable().meta({
      description:
        'As it would stand in the environment. Of a secret, and of a setting of a strategy: `set` or `not set`.',
    }),
  })
  .meta({ id: 'Setting' });
export const Settings = z.object({ data: z.array(Setting) }).meta({ id: 'Settings' });

export const QueuedMail = z
  .object({
    id: Id,
    template: z.string().meta({ description: 'The kind of mail.', example: 'reset-password' }),
    domain: z.string().nullable().meta({ description: 'Of the recipient. No more is shown.' }),
    attempts: z.int(),
    createdAt: Time,
    nextAttemptAt: Time,
    expiresAt: Time,
  })
  .meta({ id: 'QueuedMail' });

export const Rotation = z
  .strictObject({
    now: z.boolean().default(false).meta({
      description:
        'For keys that others may know: a new key signs at once, and what the others signed is refused. Clients refresh, nobody is signed out.',
    }),
  })
  .meta({ id: 'KeyRotation' });
export const NextKey = z
  .object({ kid: z.string().nullable(), signsFrom: Time })
  .meta({ id: 'NextKey', description: '`kid` is null if every key was replaced.' });
