import type { Command } from 'commander';
import type { User } from '#models/index';
import { say, type OnDatabase } from '#src/cli/command';
import { readPassword } from '#src/cli/read-password';
import type { Context } from '#src/context';
import { commandName } from '#src/platform/command-name';
import { fieldErrors } from '#src/platform/http/parse';
import { Problem } from '#src/platform/http/problem';
import { register } from '#src/registration/register';
import { disableUser, enableUser } from '#src/account/disable';
import { findUser } from '#src/users/find';
import { NewUser } from '#src/users/schemas';

export function addUserCommands(user: Command, run: OnDatabase): void {
  user
    .command('create')
    .description('Make a user; the password is asked for, or read from standard input')
    .argument('<username>')
    .option('--email <address>')
    .option('--name <name>')
    .action(run(createUser));
  user.command('list').description('List users with their roles').action(run(listUsers));
  const switches = [
    ['disable', disableUser, 'Refuse a user, and end every session they have'],
    ['enable', enableUser, 'Let a disabled user sign in again'],
  ] as const;
  for (const [verb, change, description] of switches) {
    const command = run(async (ctx, typed: string) => {
      const found = await userNamed(ctx, typed);
      await change(ctx, found.id);
      say(`${labelOf(found)} is ${verb}d.`);
    });
    user.command(verb).description(description).argument('<user>').action(command);
  }
}

interface CreateOptions {
  email?: string;
  name?: string;
}

async function createUser(
  ctx: Context,
  username: string,
  { email, name }: CreateOptions,
): Promise<void> {
  const parsed = NewUser.safeParse({ username, email, name, password: await readPassword() });
  if (!parsed.success) {
    const errors = parsed.error.issues.flatMap(fieldErrors);
    throw new Problem('invalid_request', { members: { errors } });
  }
  const user = await register(ctx, parsed.data);
  say(`${user.username} is made, with the id ${user.id}.`);
}

async function listUsers({ db }: Context): Promise<void> {
  for (const user of await db.User.findAll({ include: ['roles'], order: ['id'] })) {
    const { id, username, email, roleNames, disabledAt } = user;
    const state = disabledAt ? 'disabled' : 'active';
    say([id, username ?? '-', email ?? '-', roleNames.join(',') || '-', state].join('\t'));
  }
}

/** How a text calls a user. */
export const labelOf = ({ username, email }: User): string => username ?? email ?? '';

/** The user with this username, address or id. Throws a sentence if there is none. */
export async function userNamed(ctx: Context, typed: string): Promise<User> {
  const user = await findUser(ctx, typed);
  if (!user)
    throw new Error(`There is no such user. \`${commandName()} user list\` shows them all.`);
  return user;
}
