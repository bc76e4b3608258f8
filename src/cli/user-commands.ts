import { Option, type Command } from 'commander';
import { disableUser, enableUser } from '#src/account/disable';
import { adminUser } from '#src/admin/admin-user';
import { deleteUser } from '#src/admin/govern-user';
import { listUsers } from '#src/admin/list-users';
import { detailsOf } from '#src/admin/show-user';
import { UserQuery, type UserSort } from '#src/admin/user-query';
import { fields, sentence, table, type Answer } from '#src/cli/answer';
import { paged, part, withLimits, type OnDatabase } from '#src/cli/command';
import { confirm, readPassword } from '#src/cli/prompt';
import { roleNamed } from '#src/cli/role-commands';
import { addUserChangeCommands } from '#src/cli/user-change-commands';
import { addUserGovernCommands } from '#src/cli/user-govern-commands';
import { labelOf, userNamed } from '#src/cli/user-named';
import type { Context } from '#src/context';
import { invalidFields } from '#src/platform/http/parse';
import { register } from '#src/registration/register';
import { NewUser } from '#src/users/schemas';

export function addUserCommands(user: Command, run: OnDatabase): void {
  user
    .command('create')
    .description('Make a user; the password is asked for, or read from standard input')
    .argument('<username>', 'or an e-mail address')
    .option('--email <address>')
    .option('--name <name>')
    .option('--verified', 'the address is theirs: no mail asks to confirm it')
    .option('--role <role>', 'besides `user`; may be repeated', collect, [])
    .action(run(createUser));
  const query = UserQuery.shape;
  paged(user.command('list').description('List users with their roles, the oldest first'), query)
    .option('--search <text>', 'part of a username or address')
    .option('--role <role>', 'only users with this role')
    .addOption(truth('--disabled <truth>', 'only who is disabled, or is not'))
    .addOption(truth('--verified <truth>', 'only who confirmed the address, or did not'))
    .option('--sort <order>', 'id, -id, created or -created', part(query, 'sort'))
    .action(run(listAll));
  user
    .command('show')
    .description('Show a user, and how they sign in')
    .argument('<user>')
    .action(run(show));
  addSwitches(user, run);
  addUserChangeCommands(user, run);
  addUserGovernCommands(user, run);
  user
    .command('delete')
    .description('Delete a user for good, with all that is theirs')
    .argument('<user>')
    .option('--yes', 'do not ask')
    .action(run(remove));
}

const truth = (flags: string, description: string) =>
  new Option(flags, description).choices(['true', 'false']);
const isTrue = (text: string | undefined) => (text === undefined ? undefined : text === 'true');
const collect = (value: string, before: readonly string[]): string[] => [...before, value];

function addSwitches(user: Command, run: OnDatabase): void {
  const switches = [
    ['disable', disableUser, 'Refuse a user, and end every session they have'],
    ['enable', enableUser, 'Let a disabled user sign in again'],
  ] as const;
  for (const [verb, change, description] of switches) {
    const command = run(async (ctx, typed: string) => {
      const found = await userNamed(ctx, typed);
      await change(ctx, found.id);
      const disabled = verb === 'disable';
      return sentence(`${labelOf(found)} is ${verb}d.`, { userId: found.id, disabled });
    });
    user.command(verb).description(description).argument('<user>').action(command);
  }
}

interface CreateOptions {
  email?: string;
  name?: string;
  verified?: boolean;
  role: readonly string[];
}

async function createUser(ctx: Context, typed: string, options: CreateOptions): Promise<Answer> {
  const { email, name, verified, role } = options;
  if (typed.includes('@') && email !== undefined) throw new Error('Give one e-mail address.');
  const names = typed.includes('@') ? { email: typed } : { username: typed, email };
  for (const each of role) await roleNamed(ctx, each);
  const password = await readPassword();
  const { data, error } = NewUser.safeParse({ ...names, name, password, emailVerified: verified });
  if (error) throw invalidFields(error);
  const user = await register(ctx, data, [...new Set(['user', ...role])]);
  const roles = role.length > 0 ? `, and the roles ${user.roleNames.join(', ')}` : '';
  return sentence(`${labelOf(user)} is made, with the id ${user.id}${roles}.`, adminUser(user));
}

interface ListOptions {
  limit: number;
  cursor?: string;
  search?: string;
  role?: string;
  disabled?: string;
  verified?: string;
  sort?: UserSort;
}

async function listAll(
  ctx: Context,
  { search: q, disabled, verified, ...more }: ListOptions,
): Promise<Answer> {
  if (more.role !== undefined) await roleNamed(ctx, more.role);
  const asked = { ...more, q, disabled: isTrue(disabled), verified: isTrue(verified) };
  let { data, nextCursor } = await listUsers(ctx, asked);
  // A page of a search may be empty before the last one.
  while (data.length === 0 && nextCursor !== null)
    ({ data, nextCursor } = await listUsers(ctx, { ...asked, cursor: nextCursor }));
  return table(
    { data: data.map(adminUser), nextCursor },
    {
      ID: ({ id }) => id,
      USERNAME: ({ username }) => username,
      EMAIL: ({ email }) => email,
      VERIFIED: ({ emailVerified }) => emailVerified,
      ROLES: ({ roles }) => roles,
      STATE: ({ disabled }) => (disabled ? 'disabled' : 'active'),
      CREATED: ({ createdAt }) => createdAt,
    },
  );
}

async function show(ctx: Context, typed: string): Promise<Answer> {
  const user = await userNamed(ctx, typed);
  const shown = await withLimits(ctx, () => detailsOf(ctx, user));
  const { id, username, email, emailVerified, name, locale, roles, disabled, createdAt } = shown;
  const text = {
    Id: id,
    Username: username,
    'E-mail': email && `${email} (${emailVerified ? 'verified' : 'not verified'})`,
    Name: name,
    Language: locale,
    Roles: roles,
    State: disabled ? 'disabled' : 'active',
    Created: createdAt,
    Password: shown.hasPassword,
    'Second factors': shown.factors.map(({ kind, name }) => `${kind} ${name}`),
    Providers: shown.identities.map(({ id, provider }) => `${provider} ${id}`),
    Sessions: shown.sessions.length,
    'API keys': shown.apiKeys,
    'Failed sign-ins': shown.loginFailures.map(
      ({ of, network, count, lockedUntil }) =>
        `${count} ${network === null ? 'from elsewhere' : `from ${network}`}${of === 'sign_in' ? '' : ` (${of})`}${lockedUntil ? `, locked until ${lockedUntil.toISOString()}` : ''}`,
    ),
  };
  return fields(text, shown);
}

async function remove(ctx: Context, typed: string, { yes = false }: { yes?: boolean }) {
  const user = await userNamed(ctx, typed);
  await confirm(`Deleting ${labelOf(user)}`, labelOf(user), yes);
  await deleteUser(ctx, user.id);
  return sentence(`${labelOf(user)} is deleted.`, { userId: user.id, deleted: true });
}
