import { describe, expect, it } from 'vitest';
import { startApp } from '#test/support/app';
import { commandLine } from '#test/support/command';
import { rounds } from '#test/support/rounds';

const { auth, ctx, env, register, User, UserRole } = await startApp();
const chief = await register({ username: 'chief' }, 'admin');
const command = commandLine(env);
/** One at a time: in this process, commands share the standard output. */
let last: Promise<unknown> = Promise.resolve();
const cli = (line: string) => (last = last.then(() => command(line)));
type Person = Awaited<ReturnType<typeof register>>;
const rolesOf = async ({ id }: Person) =>
  (await User.findByPk(id, { include: ['roles'] }))!.roleNames.toSorted();
const activeAdmins = () =>
  User.count({
    where: { disabledAt: null },
    include: [{ association: 'roles', where: { name: 'admin' } }],
  });
const revoke = (by: Person, from: Person, role: string) =>
  by.ask('DELETE', `/admin/users/${from.id}/roles/${role}`);

describe('of two administrators', () => {
  /** What one may do to another, by every door. */
  const attacks: ((by: Person, to: Person) => Promise<unknown>)[] = [
    (by, to) => revoke(by, to, 'admin'),
    (_by, to) => cli(`role revoke ${to.username} admin`),
    (_by, to) => auth.users.disable(to.id).catch(() => {}),
    (_by, to) => auth.users.delete(to.id).catch(() => {}),
    (_by, to) => auth.roles.revoke(to.id, 'admin').catch(() => {}),
    (by) => revoke(by, by, 'admin'),
  ];

  it('one remains, whatever they do to each other at once (A-03)', async () => {
    for (let round = 0; round < rounds(36, 300); round++) {
      const [a, b] = await Promise.all([register({}, 'admin'), register({}, 'admin')]);
      await User.update({ disabledAt: new Date() }, { where: { id: chief.id } });
      const attack = attacks[round % attacks.length]!;
      const back = attacks[Math.floor(round / attacks.length) % attacks.length]!;
      await Promise.all([attack(a, b), back(b, a)]);
      expect(await activeAdmins(), `round ${round}`).toBe(1);
      await User.update({ disabledAt: null }, { where: { id: chief.id } });
      await UserRole.destroy({ where: { userId: [a.id, b.id] } });
    }
  });
});

describe('of somebody who grants, and loses the permission at the same time', () => {
  const byCommand = (from: Person, role: string) => cli(`role revoke ${from.username} ${role}`);
  /** How they lose it. */
  const losses: ((from: Person, role: string) => Promise<unknown>)[] = [
    (from, role) => revoke(chief, from, role),
    (_from, role) => chief.ask('PUT', `/admin/roles/${role}`, { body: { permissions: [] } }),
    (_from, role) => chief.ask('DELETE', `/admin/roles/${role}`),
    byCommand,
    (_from, role) => auth.roles.set(role, { permissions: ['roles:assign', 'roles:write'] }),
    (from) => auth.users.disable(from.id),
  ];

  it('nothing is done with a permission that was gone', async () => {
    const heard: string[] = [];
    ctx.events.onAny((name, event) => {
      const about = event as { role?: string; userId?: string };
      heard.push(`${name} ${about.role ?? ''} ${about.userId ?? ''}`);
    });
    await auth.roles.set('prize', { permissions: ['invoices:read'] });
    const outcomes = new Set<number>();
    for (let round = 0; round < rounds(36, 300); round++) {
      const role = `granting-${round}`;
      await auth.roles.set(role, {
        permissions: ['invoices:read', 'roles:assign', 'roles:write'],
      });
      const [actor, target] = await Promise.all([register({}, role), register()]);
      heard.splice(0);
      const made = `made-${round}`;
      const acts: [() => ReturnType<Person['ask']>, string, () => Promise<boolean>][] = [
        [
          () => actor.ask('PUT', `/admin/users/${target.id}/roles/prize`),
          `role.granted prize ${target.id}`,
          async () => (await rolesOf(target)).includes('prize'),
        ],
        [
          () =>
            actor.ask('PUT', `/admin/roles/${made}`, { body: { permissions: ['invoices:read'] } }),
          `role.created ${made} `,
          async () => (await auth.roles.find(made)) !== null,
        ],
      ];
      const [act, event, isDone] = acts[round % 2]!;
      const lose = losses[Math.floor(round / 2) % losses.length]!;
      const [answer] = await Promise.all(
        round % 3 === 0 ? [act(), lose(actor, role)] : [act(), lose(actor, role)].toReversed(),
      ).then((both) => (round % 3 === 0 ? both : both.toReversed()) as [{ status: number }]);
      outcomes.add(answer.status < 300 ? 200 : answer.status);
      expect(await isDone(), `round ${round}`).toBe(answer.status < 300);
      if (answer.status >= 300) expect([401, 403]).toContain(answer.status);
      else {
        // The turn of the loss came later: it waited for the commit of the grant.
        const loss = heard.findIndex((each) =>
          /^(role\.(revoked|changed|deleted) granting|user\.disabled)/.test(each),
        );
        // The command line is an instance of its own: its events are not heard here.
        if (lose !== byCommand)
          expect(loss, heard.join('\n')).toBeGreaterThan(heard.indexOf(event));
      }
    }
    expect(outcomes.size).toBeGreaterThan(1); // else there was no race
  });
});
