import { InvalidArgumentError, type Command } from 'commander';
import { exportEntries, listEntries, visibleJson } from '#src/audit/list';
import { AuditFilter, AuditQuery } from '#src/audit/query';
import type { FoundFault } from '#src/audit/verification';
import { verifyAudit } from '#src/audit/verify';
import { table, type Answer } from '#src/cli/answer';
import { paged, type OnDatabase } from '#src/cli/command';
import { userNamed } from '#src/cli/user-named';
import type { Context } from '#src/context';

export function addAuditCommands(cli: Command, run: OnDatabase): void {
  const audit = cli.command('audit').description('Read, export and verify the audit trail');
  const list = audit.command('list').description('List the trail, the newest first');
  filtered(paged(list, AuditQuery.shape)).action(run(listTrail));
  filtered(
    audit.command('export').description('Write the trail as NDJSON, the oldest first'),
  ).action(run(exportTrail));
  audit
    .command('verify')
    .description('Look for entries that were changed, removed, moved or added; ends with 1 then')
    .action(run(verifyTrail));
}

const FILTERS: readonly (readonly [name: keyof Filter, value: string, what: string])[] = [
  ['actor', '<user>', 'who did it'],
  ['subject', '<user>', 'whom it is about; of a deleted user, the id'],
  ['type', '<event>', 'such as session.refused'],
  ['after', '<time>', 'not before this time, such as 2026-11-27T00:00:00Z'],
  ['before', '<time>', 'before this time'],
];

interface Filter {
  actor?: string;
  subject?: string;
  type?: string;
  after?: string;
  before?: string;
}

function filtered(command: Command): Command {
  for (const [name, value, what] of FILTERS) command.option(`--${name} ${value}`, what);
  return command;
}

/** What was typed, as the query of the HTTP API is read. */
async function filterOf(ctx: Context, typed: Filter): Promise<AuditFilter> {
  const { actor, subject, type, after, before } = typed;
  const given = {
    actor: actor && (await idOf(ctx, actor)),
    subject: subject && (await idOf(ctx, subject)),
    type,
    after,
    before,
  };
  const { data, error } = AuditFilter.safeParse(given);
  if (error) {
    const [issue] = error.issues;
    throw new InvalidArgumentError(`--${issue!.path.join('.')}: ${issue!.message}.`);
  }
  return data;
}

/** The trail outlives users: an id need not be one of theirs any more. */
const idOf = async (ctx: Context, typed: string): Promise<string> =>
  AuditFilter.shape.actor.safeParse(typed).data ?? (await userNamed(ctx, typed)).id;

type ListOptions = Filter & { limit: number; cursor?: string };

async function listTrail(ctx: Context, { limit, cursor, ...typed }: ListOptions): Promise<Answer> {
  const page = await listEntries(ctx, { ...(await filterOf(ctx, typed)), limit, cursor });
  return table(page, {
    SEQ: ({ seq }) => seq,
    TIME: ({ createdAt }) => createdAt,
    EVENT: ({ type }) => visible(type),
    ACTOR: ({ actor, actorKind }) => visible(actor ?? actorKind),
    SUBJECT: ({ subject }) => visible(subject ?? ''),
    ADDRESS: ({ ip }) => visible(ip ?? ''),
    REQUEST: ({ requestId }) => visible(requestId ?? ''),
    DETAILS: ({ details }) => visibleJson(details),
  });
}

/** What stands in the table may have been written by hand: a terminal obeys some characters. */
const visible = (text: string): string => visibleJson(text).slice(1, -1);

async function exportTrail(ctx: Context, typed: Filter): Promise<void> {
  for await (const lines of exportEntries(ctx, await filterOf(ctx, typed)))
    if (!process.stdout.write(lines)) await drained();
}

const drained = () => new Promise((resolve) => process.stdout.once('drain', resolve));

async function verifyTrail(ctx: Context): Promise<Answer> {
  const found = await verifyAudit(ctx);
  const { ok, entries, lastSeq, lastHash, faults } = found;
  if (!ok) process.exitCode = 1;
  const end = `${entries} entries, the last one is ${lastSeq} with the hash ${lastHash || 'of none'}.`;
  const text = ok ? `Nothing was changed: ${end}` : [...faults.map(lineOf), end].join('\n');
  return { text, json: found };
}

const lineOf = ({ fault, seq, to, id, day }: FoundFault): string =>
  [
    fault,
    seq === null ? 'not sealed' : `at ${seq}${to === undefined ? '' : ` to ${to}`}`,
    id && visible(id),
    day && visible(day),
  ]
    .filter((part) => part !== undefined)
    .join('  ');
