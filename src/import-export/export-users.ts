import { Op } from 'sequelize';
import type { User } from '#models/index';
import type { Context } from '#src/context';
import { factorsOf } from '#src/import-export/export-factors';

const PAGE_SIZE = 500;

/**
 * Every user in the order of their ids, each as one line that `importUsers` accepts. Hashes, secrets of authenticator apps
 * and digests of recovery codes only `withHashes`.
 *
 * @throws {Error} a sentence, if a secret was encrypted under another APP_SECRET
 */
export async function* exportUsers(ctx: Context, withHashes: boolean): AsyncGenerator<string> {
  for (let last = ''; ;) {
    const users = await ctx.db.User.findAll({
      where: { id: { [Op.gt]: last } },
      order: ['id'],
      limit: PAGE_SIZE,
    });
    const roles = await rolesOf(ctx, users);
    const identities = await identitiesOf(ctx, users);
    const factors = await factorsOf(ctx, users, withHashes);
    for (const user of users) {
      const line = lineOf(user, roles.get(user.id) ?? [], withHashes);
      const own = { identities: identities.get(user.id), ...factors.get(user.id) };
      yield `${JSON.stringify({ ...line, ...own })}\n`;
    }
    if (users.length < PAGE_SIZE) return;
    last = users.at(-1)!.id;
  }
}

/** Not by a join: with a limit, the join of Sequelize reads every link in the database for each page. */
async function rolesOf({ db }: Context, users: readonly User[]): Promise<Map<string, string[]>> {
  const links = await db.UserRole.findAll({ where: { userId: users.map(({ id }) => id) } });
  const names = new Map((await db.Role.findAll()).map(({ id, name }) => [id, name]));
  const byUser = Map.groupBy(links, ({ userId }) => userId);
  return new Map(
    [...byUser].map(([userId, own]) => [
      userId,
      own.flatMap(({ roleId }) => names.get(roleId) ?? []).sort(),
    ]),
  );
}

/** Provider accounts by user, in the order of their ids. */
async function identitiesOf({ db }: Context, users: readonly User[]) {
  const where = { userId: users.map(({ id }) => id) };
  const found = await db.Identity.findAll({ where, order: ['provider', 'subject'] });
  const byUser = Map.groupBy(found, ({ userId }) => userId);
  return new Map(
    [...byUser].map(([userId, own]) => [
      userId,
      own.map(({ provider, subject }) => ({ provider, subject })),
    ]),
  );
}

const lineOf = (user: User, roles: string[], withHashes: boolean) => ({
  id: user.id,
  username: user.username ?? undefined,
  email: user.email ?? undefined,
  emailVerified: user.emailVerifiedAt !== null,
  name: user.name ?? undefined,
  locale: user.locale ?? undefined,
  roles,
  disabled: user.disabledAt !== null,
  passwordHash: withHashes ? (user.passwordHash ?? undefined) : undefined,
  createdAt: user.createdAt.toISOString(),
});
