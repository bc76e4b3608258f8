import { v7 as uuid } from 'uuid';
import { createRole } from '#src/access/roles';
import type { Context } from '#src/context';
import { createFactors } from '#src/import-export/create-factors';
import type { UserLine } from '#src/import-export/user-file';
import { plainHash } from '#src/platform/crypto/passwords';
import { userRow } from '#src/users/user-row';

export interface NewUser {
  line: UserLine;
  roles: string[];
}

/** Creates users with what belongs to them. Call it in a transaction. */
export async function createUsers(ctx: Context, newUsers: readonly NewUser[]): Promise<void> {
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
  await createFactors(
    ctx,
    newUsers.map(({ line }, i) => ({ line, userId: users[i]!.row.id })),
  );
  for (const { row } of users) events.emit('user.imported', { userId: row.id });
}

const rowOf = (line: UserLine, now: Date) => ({
  ...userRow({
    id: line.id,
    username: line.username,
    email: line.email,
    name: line.name,
    locale: line.locale,
    passwordHash: line.passwordHash ? plainHash(line.passwordHash) : null,
    emailVerifiedAt: line.email && line.emailVerified ? now : null,
    disabledAt: line.disabled ? now : null,
    createdAt: line.createdAt ?? now,
  }),
  factors: line.factors?.length ?? 0,
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
