import type { Command } from 'commander';
import { fields, sentence, table, type Answer } from '#src/cli/answer';
import { paged, type OnDatabase } from '#src/cli/command';
import { confirm } from '#src/cli/prompt';
import type { Service } from '#models/index';
import type { Context } from '#src/context';
import { inWords, lifetimes } from '#src/lifetimes';
import { SealedPage } from '#src/platform/http/cursor';
import { Id } from '#src/platform/http/listing';
import { parsed } from '#src/platform/http/parse';
import {
  createService,
  deleteService,
  listServices,
  rotateServiceSecret,
  updateService,
  type WithSecret,
} from '#src/services/manage';
import { listedService, NewService, ServiceChanges } from '#src/services/schemas';

/** Other services, which ask about tokens. */
export function addServiceCommands(cli: Command, run: OnDatabase): void {
  const service = cli
    .command('service')
    .alias('services')
    .description('Let other services ask about tokens. <service> is a name or an id');
  paged(
    service.command('list').description('List services, the newest first'),
    SealedPage.shape,
  ).action(run(list));
  service
    .command('create')
    .description('Create a service, and show its secret this once')
    .argument('<name>')
    .option('--scope <scopes>', 'what it may do: introspect,changes,revoke', scopesIn)
    .action(run(create));
  service.command('show').description('Show a service').argument('<service>').action(run(show));
  service
    .command('update')
    .description('Change the name or the scopes of a service')
    .argument('<service>')
    .option('--name <name>')
    .option('--scope <scopes>', 'in place of what it could do', scopesIn)
    .action(run(update));
  service
    .command('rotate-secret')
    .alias('rotate')
    .description('Replace the secret, and show the new one this once')
    .argument('<service>')
    .option('--now', 'the old secret is void at once: others may know it')
    .action(run(rotate));
  service
    .command('delete')
    .description('Delete a service: its secrets are void at once')
    .argument('<service>')
    .option('--yes', 'do not ask')
    .action(run(remove));
}

/** @throws {Error} a sentence, if there is none */
async function serviceNamed({ db }: Context, typed: string): Promise<Service> {
  const id = Id.safeParse(typed).data;
  const service = await db.Service.findOne({ where: id === undefined ? { name: typed } : { id } });
  if (!service) throw new Error(`There is no service ${JSON.stringify(typed)}.`);
  return service;
}

async function list(ctx: Context, page: SealedPage): Promise<Answer> {
  const { data, nextCursor } = await listServices(ctx, page);
  return table(
    { data: data.map(listedService), nextCursor },
    {
      ID: ({ id }) => id,
      NAME: ({ name }) => name,
      SCOPES: ({ scopes }) => scopes,
      'LAST USED': ({ lastUsedAt }) => lastUsedAt,
      CREATED: ({ createdAt }) => createdAt,
    },
  );
}

const shown = (service: Service): Answer =>
  fields({ ...listedService(service) }, listedService(service));

const withSecret = ({ service, secret }: WithSecret): Answer => {
  const { id, name, scopes } = listedService(service);
  return fields({ id, name, scopes, secret }, { ...listedService(service), secret });
};

interface Given {
  name?: string;
  scope?: string[];
}

/** With a comma between two, or each by an option of its own. */
const scopesIn = (typed: string, before: string[] = []): string[] => [
  ...before,
  ...typed.split(',').flatMap((scope) => scope.trim() || []),
];

const create = async (ctx: Context, name: string, { scope: scopes }: Given): Promise<Answer> =>
  withSecret(await createService(ctx, parsed(NewService, { name, scopes })));

const show = async (ctx: Context, typed: string): Promise<Answer> =>
  shown(await serviceNamed(ctx, typed));

async function update(ctx: Context, typed: string, { name, scope: scopes }: Given) {
  const changes = parsed(ServiceChanges, { name, scopes });
  return shown(await updateService(ctx, (await serviceNamed(ctx, typed)).id, changes));
}

async function rotate(ctx: Context, typed: string, { now = false }: { now?: boolean }) {
  const { id } = await serviceNamed(ctx, typed);
  const hint = now
    ? 'The old secret is void.'
    : `The old secret is good for another ${inWords(lifetimes.serviceSecretOverlapSeconds)}.`;
  return { ...withSecret(await rotateServiceSecret(ctx, id, !now)), hint };
}

async function remove(ctx: Context, typed: string, { yes = false }: { yes?: boolean }) {
  const { id, name } = await serviceNamed(ctx, typed);
  await confirm('Deleting a service', name, yes);
  await deleteService(ctx, id);
  return sentence('The service is deleted.', { serviceId: id, deleted: true });
}
