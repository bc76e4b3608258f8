import type { Command } from 'commander';
import { fields, sentence, table, type Answer } from '#src/cli/answer';
import { paged, type OnDatabase } from '#src/cli/command';
import { confirm } from '#src/cli/prompt';
import type { Context } from '#src/context';
import { inWords, lifetimes } from '#src/lifetimes';
import { SealedPage } from '#src/platform/http/cursor';
import { Id } from '#src/platform/http/listing';
import { parsed } from '#src/platform/http/parse';
import { listDeliveries, redeliver, testWebhook } from '#src/webhooks/deliveries';
import {
  createWebhook,
  deleteWebhook,
  listWebhooks,
  rotateSecret,
  updateWebhook,
  webhookOf,
} from '#src/webhooks/manage';
import {
  DeliveryState,
  listedDelivery,
  listedWebhook,
  NewWebhook,
  WebhookChanges,
} from '#src/webhooks/schemas';

/** What other programs are told of events. */
export function addWebhookCommands(cli: Command, run: OnDatabase): void {
  const webhook = cli
    .command('webhook')
    .alias('webhooks')
    .description('Tell other programs of events by signed HTTP requests');
  listing(webhook.command('list').description('List webhooks, the newest first')).action(run(list));
  webhook
    .command('create')
    .description('Create a webhook, and show its secret this once')
    .argument('<url>')
    .requiredOption('--types <types>', 'events that it wants: user.registered,role.*, or *')
    .option('--description <text>', 'what it is for')
    .action(run(create));
  webhook
    .command('update')
    .description('Change a webhook, or switch it on or off')
    .argument('<webhook>', 'its id')
    .option('--url <url>')
    .option('--types <types>', 'in place of the events that it wanted')
    .option('--description <text>')
    .option('--enable', 'send it what happens from now on')
    .option('--disable', 'send it nothing')
    .action(run(update));
  webhook
    .command('delete')
    .description('Delete a webhook and what is still to be delivered')
    .argument('<webhook>', 'its id')
    .option('--yes', 'do not ask')
    .action(run(remove));
  webhook
    .command('rotate-secret')
    .description('Replace the secret, and show the new one this once')
    .argument('<webhook>', 'its id')
    .option('--now', 'the old secret is void at once: others may know it')
    .action(run(rotate));
  addDeliveryCommands(webhook, run);
}

const listing = (command: Command): Command => paged(command, SealedPage.shape);

function addDeliveryCommands(webhook: Command, run: OnDatabase): void {
  webhook
    .command('test')
    .description('Send the event webhook.test. A running server delivers it')
    .argument('<webhook>', 'its id')
    .action(run(test));
  listing(webhook.command('deliveries').description('List what a webhook was told, newest first'))
    .argument('<webhook>', 'its id')
    .option('--state <state>', 'only these: pending, delivered or failed')
    .action(run(deliveries));
  webhook
    .command('redeliver')
    .description('Deliver an event once more')
    .argument('<webhook>', 'its id')
    .argument('<delivery>', 'its id, from `webhook deliveries`')
    .action(run(again));
}

/** @throws {Error} a sentence, for what is no id */
function idOf(typed: string): string {
  const { data, error } = Id.safeParse(typed);
  if (error) throw new Error('There is nothing with this id.');
  return data;
}

async function list(ctx: Context, page: SealedPage): Promise<Answer> {
  const { data, nextCursor } = await listWebhooks(ctx, page);
  return table(
    { data: data.map(listedWebhook), nextCursor },
    {
      ID: ({ id }) => id,
      URL: ({ url }) => url,
      TYPES: ({ types }) => types,
      ENABLED: ({ enabled, disabledWhy }) => (enabled ? 'yes' : `no (${disabledWhy})`),
      'FAILING SINCE': ({ failingSince }) => failingSince,
    },
  );
}

interface Given {
  url?: string;
  /** With a comma between two. */
  types?: string;
  description?: string;
}

const listOf = (types: string) => types.split(',').map((type) => type.trim());

async function create(ctx: Context, url: string, { types = '', ...rest }: Given): Promise<Answer> {
  const { webhook, secret } = await createWebhook(
    ctx,
    parsed(NewWebhook, { url, types: listOf(types), ...rest }),
  );
  return withSecret(listedWebhook(webhook), secret);
}

const withSecret = (webhook: ReturnType<typeof listedWebhook>, secret: string): Answer =>
  fields(
    { id: webhook.id, url: webhook.url, types: webhook.types, secret },
    { ...webhook, secret },
  );

interface Changes extends Given {
  enable?: boolean;
  disable?: boolean;
}

async function update(ctx: Context, typed: string, given: Changes): Promise<Answer> {
  const { types, enable, disable, ...rest } = given;
  if (enable && disable) throw new Error('Give --enable or --disable.');
  const changes = parsed(WebhookChanges, {
    ...rest,
    ...(types !== undefined && { types: listOf(types) }),
    ...((enable || disable) && { enabled: enable === true }),
  });
  const webhook = listedWebhook(await updateWebhook(ctx, idOf(typed), changes));
  return sentence(`The webhook is ${webhook.enabled ? 'changed' : 'changed, and off'}.`, webhook);
}

async function remove(ctx: Context, typed: string, { yes = false }: { yes?: boolean }) {
  const { id, url } = await webhookOf(ctx, idOf(typed));
  await confirm('Deleting a webhook', url, yes);
  await deleteWebhook(ctx, id);
  return sentence('The webhook is deleted.', { webhookId: id, deleted: true });
}

async function rotate(ctx: Context, typed: string, { now = false }: { now?: boolean }) {
  const { webhook, secret } = await rotateSecret(ctx, idOf(typed), !now);
  const hint = now
    ? 'The old secret is void.'
    : `The old secret signs, too, for ${inWords(lifetimes.webhookSecretOverlapSeconds)}.`;
  return { ...withSecret(listedWebhook(webhook), secret), hint };
}

async function test(ctx: Context, typed: string): Promise<Answer> {
  const delivery = listedDelivery(await testWebhook(ctx, idOf(typed)));
  return sentence('The event webhook.test is to be delivered.', delivery);
}

async function deliveries(
  ctx: Context,
  typed: string,
  { state, ...page }: SealedPage & { state?: string },
): Promise<Answer> {
  const wanted = state === undefined ? {} : { state: parsed(DeliveryState, state) };
  const { data, nextCursor } = await listDeliveries(ctx, idOf(typed), { ...page, ...wanted });
  return table(
    { data: data.map(listedDelivery), nextCursor },
    {
      ID: ({ id }) => id,
      TYPE: ({ type }) => type,
      STATE: (each) => each.state,
      ATTEMPTS: ({ attempts }) => attempts,
      ANSWER: ({ lastStatus, lastError }) => lastStatus ?? lastError,
      NEXT: ({ nextAttemptAt }) => nextAttemptAt,
      CREATED: ({ createdAt }) => createdAt,
    },
  );
}

async function again(ctx: Context, typed: string, delivery: string): Promise<Answer> {
  const found = listedDelivery(await redeliver(ctx, idOf(typed), idOf(delivery)));
  return sentence('The event is to be delivered once more.', found);
}
