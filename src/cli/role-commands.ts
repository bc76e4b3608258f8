import type { Command } from 'commander';
import type { Role } from '#models/index';
import { createRole, grantRole, revokeRole, RoleName } from '#src/access/roles';
import { sentence, table, type Answer } from '#src/cli/answer';
import type { OnDatabase } from '#src/cli/command';
import { labelOf, userNamed } from '#src/cli/user-named';
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
      const changed = await change(ctx, user, await roleNamed(ctx, name));
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

async function makeRole(ctx: Context, name: string): Promise<Answer> {
  const parsed = RoleName.safeParse(name);
  if (!parsed.success) throw new Error(`${parsed.error.issues[0]!.message}.`);
  const created = await createRole(ctx, name);
  const text = created ? `There is now a role ${name}.` : `There is a role ${name} already.`;
  return sentence(text, { role: name, created });
}

async function listRoles({ db }: Context): Promise<Answer> {
  const roles = await db.Role.findAll({ order: ['name'] });
  const data = roles.map(({ name, createdAt }) => ({ name, createdAt }));
  return table({ data }, { ROLE: ({ name }) => name, CREATED: ({ createdAt }) => createdAt });
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
