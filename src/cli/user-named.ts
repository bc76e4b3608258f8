import type { User } from '#models/index';
import type { Context } from '#src/context';
import { commandName } from '#src/platform/command-name';
import { findUser } from '#src/users/find';

/** How a text calls a user. */
export const labelOf = ({ id, username, email }: User): string => username ?? email ?? id;

/** The user with this username, address or id, with roles. @throws {Error} a sentence, if there is none */
export async function userNamed(ctx: Context, typed: string): Promise<User> {
  const user = await findUser(ctx, typed);
  if (!user)
    throw new Error(`There is no such user. \`${commandName()} user list\` shows them all.`);
  return user;
}
