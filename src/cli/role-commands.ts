import type { Command } from 'commander';
import type { Role } from '#models/index';
import { createRole, grantRole, revokeRole, RoleName } from '#src/access/roles';
import { say, type OnDatabase } from '#src/cli/command';
import { labelOf, userNamed } from '#src/cli/user-commands';
import type { Context } from '#src/context';
import { commandName } from '#src/platform/command-name';

export function addRoleCommands(cli: Command, run: OnDatabase): void {
  const role = cli.command('role').description('Make, list, grant and revoke roles');
  role.command('create').description('Make a role').argument('<role>').action(run(makeRole));
  role.command('list').description('List roles').action(run(listRoles));
  const changes = [
    {
      verb: 'grant',
      change: grantRole,
      description: 'Give a user a role',
      done: (name: string) => `now has the role ${name}`,
      already: (name: string) => `has the role ${name} already`,
    },
    {
      verb: 'revoke',
      change: revokeRole,
      description: 'Take a role from a user',
      done: (name: string) => `no longer has the role ${name}`,
      already: (name: string) => `does not have the role ${name}`,
    },
  ];
  for (const { verb, change, description, done, already } of changes) {
    const command = run(async (ctx, typed: string, name: string) => {
      const user = await userNamed(ctx, typed);
      const hasChanged = await change(ctx, user, await roleNamed(ctx, name));
      say(`${labelOf(user)} ${hasChanged ? done(name) : already(name)}.`);
    });
    role
      .command(verb)
      .description(description)
      .argument('<user>')
      .argument('<role>')
      .action(command);
  }
}

async function makeRole(ctx: Context, name: string): Promise<void> {
  const parsed = RoleName.safeParse(name);
  if (!parsed.success) throw new Error(`${parsed.error.issues[0]!.message}.`);
  const isNew = await createRole(ctx, name);
  say(isNew ? `There is now a role ${name}.` : `There is a role ${name} already.`);
}

async function listRoles({ db }: Context): Promise<void> {
  for (const { name } of await db.Role.findAll({ order: ['name'] })) say(name);
}

async function roleNamed({ db }: Context, name: string): Promise<Role> {
  const role = await db.Role.findOne({ where: { name } });
  if (!role)
    throw new Error(
      `There is no such role. \`${commandName()} role list\` shows them all, \`role create\` makes one.`,
    );
  return role;
}
