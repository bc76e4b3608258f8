import { Command } from 'commander';
import { migrate } from '#migrations/index';
import { Role, User } from '#models/index';
import { createRole, grantRole, revokeRole, RoleName } from '#src/access/roles';
import { onDatabase, say } from '#src/cli/command';
import { addImportCommands } from '#src/cli/import';
import { addKeyCommands } from '#src/cli/keys';
import { addUserFileCommands } from '#src/cli/users';
import { addStrategyCommands } from '#src/cli/strategy';
import { config } from '#src/config';
import { readPassword } from '#src/core/read-password';
import { Problem } from '#src/core/problem';
import { disableUser, enableUser } from '#src/users/disable';
import { findUser } from '#src/users/find';
import { register } from '#src/users/register';
import { NewUser } from '#src/users/schemas';
import { fieldErrors } from '#src/http/parse';

/** Every command, over the same use-cases as the API. All work while the server runs, and bind on the next request. */
export function program(): Command {
  const cli = new Command('sallyport').description(
    'Runs a Sallyport from the command line. <user> is a username, an e-mail address or an id.',
  );
  cli
    .command('migrate')
    .description('Bring the database to the newest schema')
    .action(async () => {
      const done = await migrate(config.DATABASE_URL);
      say(done.length > 0 ? `Migrated: ${done.join(', ')}` : 'The schema is up to date.');
    });

  addUserCommands(cli.command('user').alias('users').description('Make, list, disable and enable users; bring them in and out'));
  addRoleCommands(cli.command('role').description('Make, list, grant and revoke roles'));
  addKeyCommands(cli);
  addImportCommands(cli);
  addStrategyCommands(cli);
  return cli;
}

function addUserCommands(user: Command): void {
  user
    .command('create')
    .description('Make a user; the password is asked for, or read from standard input')
    .argument('<username>')
    .option('--email <address>')
    .option('--name <name>')
    .action(onDatabase(makeUser));
  user.command('list').description('List users with their roles').action(onDatabase(listUsers));
  const switches = [
    ['disable', disableUser, 'Refuse a user, and end every session they have'],
    ['enable', enableUser, 'Let a disabled user sign in again'],
  ] as const;
  for (const [verb, change, description] of switches) {
    const command = onDatabase(async (named: string) => {
      const someone = await userNamed(named);
      await change(someone.id);
      say(`${nameOf(someone)} is ${verb}d.`);
    });
    user.command(verb).description(description).argument('<user>').action(command);
  }
  addUserFileCommands(user);
}

function addRoleCommands(role: Command): void {
  role.command('create').description('Make a role').argument('<role>').action(onDatabase(makeRole));
  role.command('list').description('List roles').action(onDatabase(listRoles));
  const changes = [
    ['grant', grantRole, 'Give a user a role', (name: string) => [`now has the role ${name}`, `has the role ${name} already`]],
    [
      'revoke',
      revokeRole,
      'Take a role from a user',
      (name: string) => [`no longer has the role ${name}`, `does not have the role ${name}`],
    ],
  ] as const;
  for (const [verb, change, description, sentences] of changes) {
    const command = onDatabase(async (named: string, name: string) => {
      const someone = await userNamed(named);
      const [done, already] = sentences(name);
      say(`${nameOf(someone)} ${(await change(someone, await roleNamed(name))) ? done : already}.`);
    });
    role.command(verb).description(description).argument('<user>').argument('<role>').action(command);
  }
}

async function makeUser(username: string, { email, name }: { email?: string; name?: string }): Promise<void> {
  const given = NewUser.safeParse({ username, email, name, password: await readPassword() });
  if (!given.success) throw new Problem('invalid_request', { members: { errors: given.error.issues.flatMap(fieldErrors) } });
  const user = await register(given.data);
  say(`${user.username} is made, with the id ${user.id}.`);
}

async function listUsers(): Promise<void> {
  for (const user of await User.findAll({ include: ['roles'], order: ['id'] })) {
    say(
      [user.id, user.username ?? '-', user.email ?? '-', user.roleNames.join(',') || '-', user.disabledAt ? 'disabled' : 'active'].join(
        '\t',
      ),
    );
  }
}

async function makeRole(name: string): Promise<void> {
  const checked = RoleName.safeParse(name);
  if (!checked.success) throw new Error(`${checked.error.issues[0]!.message}.`);
  say((await createRole(name)) ? `There is now a role ${name}.` : `There is a role ${name} already.`);
}

async function listRoles(): Promise<void> {
  for (const { name } of await Role.findAll({ order: ['name'] })) say(name);
}

const nameOf = ({ username, email }: User) => username ?? email;

async function userNamed(named: string): Promise<User> {
  const user = await findUser(named);
  if (!user) throw new Error('There is no such user. `npm run cli -- user list` shows them all.');
  return user;
}

async function roleNamed(name: string): Promise<Role> {
  const role = await Role.findOne({ where: { name } });
  if (!role) throw new Error('There is no such role. `npm run cli -- role list` shows them all, `role create` makes one.');
  return role;
}
