import { UniqueConstraintError } from 'sequelize';
import { createRole } from '#src/access/roles';
import type { Context } from '#src/context';
import { ExistingUsers, type UserIds } from '#src/import-export/existing-users';
import { linesOf, type NumberedLine } from '#src/import-export/ndjson';
import { parseUserLine, type UserLine } from '#src/import-export/user-file';
import { plainHash, whyNotHash } from '#src/platform/crypto/passwords';
import { userRow } from '#src/users/user-row';

/** What happened to one line. */
export interface ImportedLine {
  number: number;
  outcome: 'imported' | 'unchanged' | 'refused';
  /** The roles of an imported user, or a reason. */
  detail: string;
}

/** Lines in one transaction. */
const BATCH_SIZE = 500;
/** A batch is repeated when somebody registers one of its names at the same moment. */
const MAX_ATTEMPTS = 5;

/**
 * Imports users from lines of JSON (docs/migrating-users.md) and reports the outcome of each line: never a name, an
 * address or a hash. Users who exist are left alone, so an import can be run again. Each batch of lines is one
 * transaction. A dry run reports the same and writes nothing.
 */
export async function importUsers(
  ctx: Context,
  chunks: AsyncIterable<Buffer | string>,
  report: (line: ImportedLine) => void,
  dryRun = false,
): Promise<void> {
  const existing = new ExistingUsers(ctx); // of a dry run: it remembers the users of all batches
  const importLines = async (lines: readonly NumberedLine[]) =>
    dryRun ? (await classify(ctx, lines, existing)).outcomes : importBatch(ctx, lines);
  let batch: NumberedLine[] = [];
  const flush = async () => {
    for (const line of await importLines(batch)) report(line);
    batch = [];
  };
  for await (const line of linesOf(chunks)) if (batch.push(line) === BATCH_SIZE) await flush();
  await flush();
}

async function importBatch(
  ctx: Context,
  lines: readonly NumberedLine[],
  attempt = 1,
): Promise<ImportedLine[]> {
  try {
    return await ctx.db.transaction(async () => {
      const { outcomes, newUsers } = await classify(ctx, lines, new ExistingUsers(ctx));
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

/** The outcome of each line, and the users to create. */
async function classify(
  { clock }: Context,
  lines: readonly NumberedLine[],
  existing: ExistingUsers,
): Promise<{ outcomes: ImportedLine[]; newUsers: NewUser[] }> {
  const now = clock.now();
  const parsed = lines.map(({ number, text }) => ({
    number,
    line: text === undefined ? 'it is too long, or not UTF-8' : parseUserLine(text, now),
  }));
  await existing.load(parsed.flatMap(({ line }) => (typeof line === 'string' ? [] : idsOf(line))));
  const newUsers: NewUser[] = [];
  const outcomes = parsed.map(({ number, line }): ImportedLine => {
    const refused = (detail: string): ImportedLine => ({ number, outcome: 'refused', detail });
    if (typeof line === 'string') return refused(line);
    const fault = typeof line.passwordHash === 'string' ? whyNotHash(line.passwordHash) : undefined;
    if (fault) return refused(fault);
    const ids = idsOf(line);
    const found = existing.find(ids);
    if (found) return { number, ...found };
    existing.add(ids, number);
    const roles = [...new Set(line.roles ?? ['user'])].sort();
    newUsers.push({ line, roles });
    return { number, outcome: 'imported', detail: roles.join(',') };
  });
  return { outcomes, newUsers };
}

const idsOf = ({ id, username, email }: UserLine): UserIds => ({
  id: id ?? undefined,
  usernameCanonical: username?.canonical,
  emailCanonical: email?.canonical,
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
