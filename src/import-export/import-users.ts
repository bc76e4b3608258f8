import { UniqueConstraintError } from 'sequelize';
import { v7 as uuid } from 'uuid';
import { createRole } from '#src/access/roles';
import type { Context } from '#src/context';
import type { Entry } from '#src/import-export/entries';
import { ExistingUsers, type UserIds } from '#src/import-export/existing-users';
import type { Line, Refusal, Row } from '#src/import-export/sources/source';
import { parseUserLine, type UserLine } from '#src/import-export/user-file';
import { plainHash } from '#src/platform/crypto/passwords';
import { userRow } from '#src/users/user-row';

/** What happened to one user. */
export interface ImportedLine {
  number: number;
  outcome: 'imported' | 'unchanged' | 'refused';
  /** The roles of an imported user, or a reason. */
  detail: string;
  /** What an imported user has to do before they can sign in, if anything. */
  note?: string | undefined;
}

/** Users in one transaction. */
const BATCH_SIZE = 500;
/** A batch is repeated when somebody registers one of its names at the same moment. */
const MAX_ATTEMPTS = 5;

interface ImportOptions {
  /** Turns a user of another system into one of our own format. */
  convert?: (row: Row) => Line | Refusal;
  /** Reports the same, and writes nothing. */
  dryRun?: boolean;
}

/**
 * Imports users (docs/migrating-users.md) and reports the outcome of each: never a name, an address or a hash. Users who
 * exist are left alone, so an import can be run again. Each batch is one transaction.
 */
export async function importUsers(
  ctx: Context,
  entries: AsyncIterable<Entry>,
  report: (line: ImportedLine) => void,
  { convert, dryRun = false }: ImportOptions = {},
): Promise<void> {
  const existing = new ExistingUsers(ctx); // of a dry run: it remembers the users of all batches
  let batch: CheckedLine[] = [];
  const flush = async () => {
    const outcomes = dryRun
      ? (await classify(batch, existing)).outcomes
      : await importBatch(ctx, batch);
    outcomes.forEach(report);
    batch = [];
  };
  for await (const entry of entries) {
    const line = await checked(ctx, entry, convert);
    if (batch.push({ number: entry.number, line }) === BATCH_SIZE) await flush();
  }
  await flush();
}

interface CheckedLine {
  number: number;
  line: UserLine | Refusal;
}

async function checked(
  { clock, passwords }: Context,
  { value, fault }: Entry,
  convert: ImportOptions['convert'],
): Promise<UserLine | Refusal> {
  if (fault !== undefined) return fault;
  const isObject = typeof value === 'object' && value !== null;
  const own = convert && isObject ? convert(value as Row) : value;
  if (typeof own === 'string' && convert) return own;
  const line = parseUserLine(own, clock.now());
  if (typeof line === 'string' || typeof line.passwordHash !== 'string') return line;
  return (await passwords.whyRefused(line.passwordHash)) ?? line;
}

async function importBatch(
  ctx: Context,
  lines: readonly CheckedLine[],
  attempt = 1,
): Promise<ImportedLine[]> {
  try {
    return await ctx.db.transaction(async () => {
      const { outcomes, newUsers } = await classify(lines, new ExistingUsers(ctx));
      await createUsers(ctx, newUsers);
      return outcomes;
    });
  } catch (error) {
    // Somebody has registered one of the names since we looked.
    if (error instanceof UniqueConstraintError && attempt < MAX_ATTEMPTS)
      return importBatch(ctx, lines, attempt + 1);
    throw error;
  }
}

interface NewUser {
  line: UserLine;
  roles: string[];
}

/** The outcome of each user, and the users to create. */
async function classify(
  lines: readonly CheckedLine[],
  existing: ExistingUsers,
): Promise<{ outcomes: ImportedLine[]; newUsers: NewUser[] }> {
  await existing.load(lines.flatMap(({ line }) => (typeof line === 'string' ? [] : idsOf(line))));
  const newUsers: NewUser[] = [];
  const outcomes = lines.map(({ number, line }): ImportedLine => {
    if (typeof line === 'string') return { number, outcome: 'refused', detail: line };
    const ids = idsOf(line);
    const found = existing.find(ids);
    if (found) return { number, ...found };
    existing.add(ids, number);
    const roles = [...new Set(line.roles ?? ['user'])].sort();
    newUsers.push({ line, roles });
    return { number, outcome: 'imported', detail: roles.join(','), note: noteOn(line) };
  });
  return { outcomes, newUsers };
}

/** Begins the note on a user who has no way in. */
export const LOCKED_OUT = 'cannot sign in';

/** A user who cannot sign in is not imported without a word. */
function noteOn({ passwordHash, email, identities, disabled }: UserLine): string | undefined {
  if (disabled) return 'disabled';
  if (passwordHash) return undefined;
  if (identities?.length) return 'no password: signs in with a provider';
  return email
    ? 'no password: has to choose one by "forgot password"'
    : `${LOCKED_OUT}: no password, no provider and no e-mail address`;
}

const idsOf = ({ id, username, email, identities }: UserLine): UserIds => ({
  id: id ?? undefined,
  usernameCanonical: username?.canonical,
  emailCanonical: email?.canonical,
  identities: identities ?? [],
});

async function createUsers(ctx: Context, newUsers: readonly NewUser[]): Promise<void> {
  const { db, events, clock } = ctx;
  const now = clock.date();
  const users = newUsers.map(({ line, roles }) => ({ roles, row: rowOf(line, now) }));
  const roleIds = await roleIdsOf(ctx, [...new Set(users.flatMap(({ roles }) => roles))]);
  await db.User.bulkCreate(users.map(({ row }) => row));
  await db.UserRole.bulkCreate(
    users.flatMap(({ row, roles }) =>
      roles.map((name) => ({ userId: row.id, roleId: roleIds.get(name)! })),
    ),
  );
  await db.Identity.bulkCreate(
    newUsers.flatMap(({ line }, i) =>
      (line.identities ?? []).map(({ provider, subject }) => ({
        id: uuid(),
        userId: users[i]!.row.id,
        provider,
        subject,
        email: line.email?.display ?? null,
        createdAt: now,
      })),
    ),
  );
  for (const { row } of users) events.emit('user.imported', { userId: row.id });
}

const rowOf = (line: UserLine, now: Date) =>
  userRow({
    id: line.id,
    username: line.username,
    email: line.email,
    name: line.name,
    passwordHash: line.passwordHash ? plainHash(line.passwordHash) : null,
    emailVerifiedAt: line.email && line.emailVerified ? now : null,
    disabledAt: line.disabled ? now : null,
    createdAt: line.createdAt ?? now,
  });

/** The ids of these roles by name. Creates those that are missing. */
async function roleIdsOf(ctx: Context, names: readonly string[]): Promise<Map<string, string>> {
  const find = async () => {
    const roles = await ctx.db.Role.findAll({ where: { name: [...names] } });
    return new Map(roles.map(({ id, name }) => [name, id]));
  };
  const found = await find();
  const missing = names.filter((name) => !found.has(name));
  for (const name of missing) await createRole(ctx, name);
  return missing.length > 0 ? find() : found;
}
