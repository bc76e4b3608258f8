import type { Command } from 'commander';
import { validate as isUuid } from 'uuid';
import { endUserSessions } from '#src/admin/govern-user';
import { deleteKey, listedKey } from '#src/api-keys/own-keys';
import { sentence, table, type Answer } from '#src/cli/answer';
import { paged, type OnDatabase } from '#src/cli/command';
import { confirm } from '#src/cli/prompt';
import { labelOf, userNamed } from '#src/cli/user-named';
import type { Context } from '#src/context';
import { newestFirst, type Page } from '#src/platform/http/listing';
import { endEverySession } from '#src/sessions/end-every-session';
import { endSessions } from '#src/sessions/end-sessions';
import { listedSession } from '#src/sessions/schemas';

/** What users hold: sessions, API keys, and counters of failed sign-ins. */
export function addSessionCommands(cli: Command, run: OnDatabase): void {
  const session = cli.command('session').description('List and end sessions');
  paged(session.command('list').description('List the live sessions of a user, the newest first'))
    .argument('<user>')
    .action(run(listSessions));
  session
    .command('end')
    .description('End a session: its tokens are refused on the next request')
    .argument('[session]', 'its id')
    .option('--user <user>', 'every session of a user')
    .option('--everybody', 'every session of every user, and all links and codes that were mailed')
    .option('--yes', 'do not ask')
    .action(run(end));

  const key = cli.command('api-key').description('List and revoke API keys');
  paged(key.command('list').description('List the API keys of a user, the newest first'))
    .argument('<user>')
    .action(run(listKeys));
  key
    .command('revoke')
    .description('Delete an API key')
    .argument('<key>', 'its id')
    .action(run(revoke));
}

async function listSessions(ctx: Context, typed: string, page: Page): Promise<Answer> {
  const { db, clock } = ctx;
  const { id: userId } = await userNamed(ctx, typed);
  const live = { userId, ...db.Session.live(clock.date()) };
  const { data, nextCursor } = await newestFirst(db.Session, live, page);
  const sessions = data.map((session) => {
    const { current: _, ...shown } = listedSession(session, undefined);
    return shown;
  });
  return table(
    { data: sessions, nextCursor },
    {
      ID: ({ id }) => id,
      STRATEGY: ({ strategy }) => strategy,
      ACTOR: ({ impersonation }) =>
        impersonation && (impersonation.actor.name ?? impersonation.actor.id),
      DEVICE: ({ device }) => device.name,
      ADDRESS: ({ ip }) => ip,
      CREATED: ({ createdAt }) => createdAt,
      'LAST SEEN': ({ lastSeenAt }) => lastSeenAt,
      EXPIRES: ({ expiresAt }) => expiresAt,
    },
  );
}

interface EndOptions {
  user?: string;
  everybody?: boolean;
  yes?: boolean;
}

async function end(ctx: Context, id: string | undefined, options: EndOptions): Promise<Answer> {
  const { user: typed, everybody = false, yes = false } = options;
  if ([id, typed, everybody || undefined].filter((each) => each !== undefined).length !== 1)
    throw new Error('Give the id of a session, --user or --everybody.');
  if (everybody) {
    await confirm('Ending every session', 'everybody', yes);
    const ended = await endEverySession(ctx);
    return sentence(`${ended} sessions have ended. Links and codes in mails are void.`, { ended });
  }
  if (typed !== undefined) {
    const user = await userNamed(ctx, typed);
    const ended = await endUserSessions(ctx, user.id);
    return sentence(`${ended} sessions of ${labelOf(user)} have ended.`, {
      userId: user.id,
      ended,
    });
  }
  const sessionId = id!.toLowerCase();
  const ended = isUuid(sessionId) ? await endSessions(ctx, { id: sessionId }, 'signed_out') : 0;
  if (ended === 0) throw new Error('There is no such session, or it has ended.');
  return sentence('The session has ended.', { sessionId, ended });
}

async function listKeys(ctx: Context, typed: string, page: Page): Promise<Answer> {
  const { id: userId } = await userNamed(ctx, typed);
  const { data, nextCursor } = await newestFirst(ctx.db.ApiKey, { userId }, page);
  return table(
    { data: data.map(listedKey), nextCursor },
    {
      ID: ({ id }) => id,
      NAME: ({ name }) => name,
      'ENDS IN': ({ last4 }) => last4,
      SCOPES: ({ scopes }) => scopes,
      CREATED: ({ createdAt }) => createdAt,
      'LAST USED': ({ lastUsedAt }) => lastUsedAt,
      EXPIRES: ({ expiresAt }) => expiresAt,
    },
  );
}

async function revoke(ctx: Context, typed: string): Promise<Answer> {
  const apiKeyId = typed.toLowerCase();
  const key = isUuid(apiKeyId) ? await ctx.db.ApiKey.findByPk(apiKeyId) : null;
  if (!key) throw new Error('There is no API key with this id.');
  await deleteKey(ctx, key.userId, apiKeyId);
  return sentence(`The API key ${key.name} is revoked.`, { userId: key.userId, apiKeyId });
}
