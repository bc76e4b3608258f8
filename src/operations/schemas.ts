import { z } from 'zod';
import { Id } from '#src/platform/http/listing';
import { Time } from '#src/platform/http/time';

const Count = z
  .object({
    value: z.int(),
    isExact: z.boolean().meta({ description: 'False: there are more.' }),
  })
  .meta({ id: 'Count' });
const DayStats = z
  .object({
    day: z.string().meta({ description: 'In UTC.', example: '2026-11-27' }),
    signIns: z.array(
      z.object({
        strategy: z.string(),
        succeeded: z.int(),
        challenged: z.int().meta({ description: 'A second factor was asked for.' }),
        refused: z.int(),
      }),
    ),
    limits: z.array(z.object({ limit: z.string(), reached: z.int() })),
  })
  .meta({ id: 'DayStats' });
export const Stats = z
  .object({
    users: Count,
    sessions: Count,
    mails: Count,
    days: z.array(DayStats),
    isComplete: z.boolean().meta({
      description:
        'False: there were too many events to read all. The oldest days are missing, or say too little.',
    }),
  })
  .meta({ id: 'Stats' });
export const StatsQuery = z.strictObject({
  days: z
    .string()
    .regex(/^\d{1,2}$/, 'A whole number')
    .transform(Number)
    .pipe(z.int().min(1).max(30))
    .default(7)
    .meta({
      override: ({ jsonSchema }: { jsonSchema: object }) => {
        Object.assign(jsonSchema, { type: 'integer', minimum: 1, maximum: 30, default: 7 });
        delete (jsonSchema as { pattern?: string }).pattern; // that of the string
      },
    }),
});

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
