import type { Context } from '#src/context';
import { gauge, type Family } from '#src/metrics/families';
import { sqliteFileOf } from '#src/platform/database/open';

/** More mails are not counted: the outbox is read while somebody waits. */
const MOST_MAILS = 10_000;

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
    help: `Mails that wait to be sent, ${MOST_MAILS} at most.`,
    aggregator: 'max', // all processes read one table
    read: async () => [[(await waiting(ctx)).length]],
  }),
  gauge({
    name: 'sallyport_mail_queue_age_seconds',
    help: 'How long the oldest mail in the queue has been there.',
    aggregator: 'max',
    read: async () => [[await oldest(ctx)]],
  }),
];

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
  db.OutgoingMail.findAll({ attributes: ['id'], limit: MOST_MAILS, raw: true });

async function oldest({ db, clock }: Context): Promise<number> {
  const order: [['id', 'ASC']] = [['id', 'ASC']]; // ids are in the order of time
  const mail = await db.OutgoingMail.findOne({ attributes: ['createdAt'], order });
  return mail ? Math.max(0, (clock.now() - mail.createdAt.getTime()) / 1000) : 0;
}
