import { Op } from 'sequelize';
import type { Context } from '#src/context';
import { gauge, type Family } from '#src/metrics/families';
import { sqliteFileOf } from '#src/platform/database/open';

/** No more rows are counted: somebody waits for the answer. */
const MOST_ROWS = 10_000;

/** Sequelize's pool of connections. It is not in its types. */
interface Pool {
  readonly using: number;
  readonly available: number;
  readonly waiting: number;
}

/** What is looked up when somebody asks. */
export const gaugesOf = (ctx: Context): Family[] => [
  gauge({
    name: 'sallyport_hash_queue_length',
    help: 'Passwords that wait until they are hashed or compared.',
    read: () => [[ctx.passwords.queue.waiting()]],
  }),
  gauge({
    name: 'sallyport_hashes_running',
    help: 'Passwords that are hashed or compared now.',
    read: () => [[ctx.passwords.queue.running()]],
  }),
  ...(sqliteFileOf(ctx.settings.databaseUrl) === undefined ? poolGauges(ctx) : []),
  gauge({
    name: 'sallyport_mail_queue_length',
    help: `Mails that wait to be sent, ${MOST_ROWS} at most.`,
    aggregator: 'max', // all processes read one table
    read: async () => [[(await waiting(ctx)).length]],
  }),
  gauge({
    name: 'sallyport_mail_queue_age_seconds',
    help: 'How long the oldest mail in the queue has been there.',
    aggregator: 'max',
    read: async () => [[await oldest(ctx)]],
  }),
  gauge({
    name: 'sallyport_webhook_queue_length',
    help: `Deliveries of webhooks that wait, ${MOST_ROWS} at most.`,
    aggregator: 'max',
    read: async () => [[(await pending(ctx, MOST_ROWS)).length]],
  }),
  gauge({
    name: 'sallyport_webhook_queue_age_seconds',
    help: 'How long the oldest delivery in the queue has been there.',
    aggregator: 'max',
    read: async () => [[ageOf(ctx, (await pending(ctx, 1))[0])]],
  }),
];

/** In the order of their end, which is that of their beginning. Settled ones have none. */
const pending = ({ db }: Context, limit: number) =>
  db.WebhookDelivery.findAll({
    attributes: limit === 1 ? ['createdAt'] : ['id'],
    where: { expiresAt: { [Op.gt]: new Date(0) } },
    order: ['expiresAt'],
    limit,
  });

const ageOf = ({ clock }: Context, row: { createdAt: Date } | null | undefined): number =>
  row ? Math.max(0, (clock.now() - row.createdAt.getTime()) / 1000) : 0;

/** An embedded database has one connection. */
function poolGauges({ db }: Context): Family[] {
  const { pool } = (db.sequelize as unknown as { connectionManager: { pool: Pool } })
    .connectionManager;
  return [
    gauge({
      name: 'sallyport_database_connections',
      help: 'Connections to the database by state.',
      labels: ['state'],
      read: () => [
        [pool.using, 'busy'],
        [pool.available, 'idle'],
      ],
    }),
    gauge({
      name: 'sallyport_database_connections_awaited',
      help: 'Statements that wait for a connection.',
      read: () => [[pool.waiting]],
    }),
  ];
}

const waiting = ({ db }: Context) =>
  db.OutgoingMail.findAll({ attributes: ['id'], limit: MOST_ROWS, raw: true });

async function oldest(ctx: Context): Promise<number> {
  const order: [['id', 'ASC']] = [['id', 'ASC']]; // ids are in the order of time
  const mail = await ctx.db.OutgoingMail.findOne({ attributes: ['createdAt'], order });
  return ageOf(ctx, mail);
}
