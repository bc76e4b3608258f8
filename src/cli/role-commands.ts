import type { Command } from 'commander';
import type { Role } from '#models/index';
import { createRole, RoleName } from '#src/access/roles';
import { sentence, table, type Answer } from '#src/cli/answer';
import type { OnDatabase } from '#src/cli/command';
import { confirm } from '#src/cli/prompt';
import { labelOf, userNamed } from '#src/cli/user-named';
import type { Context } from '#src/context';
import { commandName } from '#src/platform/command-name';
import { assignRole, withdrawRole } from '#src/roles/assign-role';
import { deleteRole, setRole } from '#src/roles/change-role';
import { listedRole, RoleChanges } from '#src/roles/role';

export function addRoleCommands(cli: Command, run: OnDatabase): void {
  const role = cli
    .command('role')
    .description('Make, change, list, delete, grant and revoke roles');
  withChanges(role.command('create').description('Make a role')).action(run(makeRole));
  withChanges(
    role.command('set').description('Change what a role allows, for everybody who has it'),
  ).action(run(changeRole));
  role.command('list').description('List roles and their permissions').action(run(listRoles));
  role
    .command('delete')
    .description('Delete a role, and take it from everybody')
    .argument('<role>')
    .option('--yes', 'do not ask')
    .action(run(removeRole));
  const changes = [
    {
      verb: 'grant',
      change: assignRole,
      description: 'Give a user a role',
      done: (name: string) => `now has the role ${name}`,
      already: (name: string) => `has the role ${name} already`,
    },
    {
      verb: 'revoke',
      change: withdrawRole,
      description: 'Take a role from a user',
      done: (name: string) => `no longer has the role ${name}`,
      already: (name: string) => `does not have the role ${name}`,
    },
  ];
  for (const { verb, change, description, done, already } of changes) {
    const command = run(async (ctx, typed: string, name: string) => {
      const user = await userNamed(ctx, typed);
      await roleNamed(ctx, name);
      const changed = await change(ctx, user.id, name);
      const text = `${labelOf(user)} ${changed ? done(name) : already(name)}.`;
      return sentence(text, { userId: user.id, role: name, changed });
    });
    role
      .command(verb)
      .description(description)
      .argument('<user>')
      .argument('<role>')
      .action(command);
  }
}

interface Typed {
  description?: string;
  permissions?: string;
}

const withChanges = (command: Command): Command =>
  command
    .argument('<role>')
    .option('--description <text>', 'what it is for')
    .option(
      '--permissions <list>',
      "all that it allows, with commas: 'invoices:read,users:*'. Quote an asterisk. '' for nothing",
    );

/** @throws {Error} a sentence, if something of it is not what a role may have */
function changesIn({ description, permissions }: Typed): RoleChanges {
  const { data, error } = RoleChanges.safeParse({
    ...(description !== undefined && { description }),
    ...(permissions !== undefined && { permissions: permissions.split(/[\s,]+/).filter(Boolean) }),
  });
  if (error) throw new Error(`${error.issues[0]!.message}.`);
  return data;
}

async function makeRole(ctx: Context, name: string, typed: Typed): Promise<Answer> {
  const parsed = RoleName.safeParse(name);
  if (!parsed.success) throw new Error(`${parsed.error.issues[0]!.message}.`);
  const changes = changesIn(typed);
  const created = await ctx.db.transaction(async () => {
    const isNew = await createRole(ctx, name);
    if (isNew) await setRole(ctx, name, changes);
    return isNew;
  });
  const text = created ? `There is now a role ${name}.` : `There is a role ${name} already.`;
  return sentence(text, { role: name, created });
}

async function changeRole(ctx: Context, name: string, typed: Typed): Promise<Answer> {
  const changes = changesIn(typed);
  if (Object.keys(changes).length === 0)
    throw new Error('Say what to change: --permissions, --description, or both.');
  await roleNamed(ctx, name);
  const { permissions, ...role } = listedRole(await setRole(ctx, name, changes));
  const allowed = permissions.length > 0 ? permissions.join(', ') : 'nothing';
  return sentence(`The role ${name} allows: ${allowed}.`, { ...role, permissions });
}

async function removeRole(
  ctx: Context,
  name: string,
  { yes = false }: { yes?: boolean },
): Promise<Answer> {
  const { id: roleId } = await roleNamed(ctx, name);
  const users = await ctx.db.UserRole.count({ where: { roleId } });
  const from = users === 1 ? 'one user' : `${users} users`;
  await confirm(`Taking the role ${name} from ${from} and deleting it`, name, yes);
  await deleteRole(ctx, name);
  return sentence(`There is no role ${name} any more.`, { role: name, users });
}

async function listRoles({ db }: Context): Promise<Answer> {
  const roles = await db.Role.findAll({ order: ['name'] });
  return table(
    { data: roles.map(listedRole) },
    {
      ROLE: ({ name }) => name,
      PERMISSIONS: ({ permissions }) => permissions,
      DESCRIPTION: ({ description }) => description,
      CREATED: ({ createdAt }) => createdAt,
    },
  );
}

/** @throws {Error} a sentence, if there is no such role */
export async function roleNamed({ db }: Context, name: string): Promise<Role> {
  const role = await db.Role.findOne({ where: { name } });
  if (!role)
    throw new Error(
      `There is no such role. \`${commandName()} role list\` shows them all, \`role create\` makes one.`,
    );
  return role;
}
