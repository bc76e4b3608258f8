import { Op } from 'sequelize';
import { Role, User, UserRole } from '#models/index';

const PAGE = 500;

/** Everybody, in the order of their ids, each as one line that `importUsers` takes back. Hashes only `withHashes`. */
export async function* exportUsers(withHashes: boolean): AsyncGenerator<string> {
  for (let last = ''; ;) {
    const users = await User.findAll({ where: { id: { [Op.gt]: last } }, order: ['id'], limit: PAGE });
    const roles = await rolesOf(users);
    for (const user of users) yield `${JSON.stringify(lineOf(user, roles.get(user.id) ?? [], withHashes))}\n`;
    if (users.length < PAGE) return;
    last = users.at(-1)!.id;
  }
}

/** Not by a join: with a limit, Sequelize's reads every link in the database for each page. */
async function rolesOf(users: User[]): Promise<Map<string, string[]>> {
  const links = await UserRole.findAll({ where: { userId: users.map(({ id }) => id) } });
  const names = new Map((await Role.findAll()).map(({ id, name }) => [id, name]));
  const grouped = Map.groupBy(links, ({ userId }) => userId);
  return new Map([...grouped].map(([id, links]) => [id, links.flatMap(({ roleId }) => names.get(roleId) ?? []).sort()]));
}

const lineOf = (user: User, roles: string[], withHashes: boolean) => ({
  id: user.id,
  username: user.username ?? undefined,
  email: user.email ?? undefined,
  emailVerified: user.emailVerifiedAt !== null,
  name: user.name ?? undefined,
  roles,
  disabled: user.disabledAt !== null,
  passwordHash: withHashes ? (user.passwordHash ?? undefined) : undefined,
  createdAt: user.createdAt.toISOString(),
});
