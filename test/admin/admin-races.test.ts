import { expect, it } from 'vitest';
import { startApp } from '#test/support/app';
import { commandLine } from '#test/support/command';
import { rounds } from '#test/support/rounds';

const { auth, env, register, User, UserRole } = await startApp();
const admin = await register({}, 'admin');
const cli = commandLine(env);
const activeAdmins = () =>
  User.count({
    where: { disabledAt: null },
    include: [{ association: 'roles', where: { name: 'admin' } }],
  });
type Person = Awaited<ReturnType<typeof register>>;

/** What one administrator may do to another, by every door. */
const attacks: ((by: Person, to: Person) => Promise<unknown>)[] = [
  (by, to) => by.ask('PATCH', `/admin/users/${to.id}`, { body: { disabled: true } }),
  (by, to) => by.ask('DELETE', `/admin/users/${to.id}`),
  (_by, to) => auth.users.disable(to.id).catch(() => {}),
  (_by, to) => auth.users.delete(to.id).catch(() => {}),
  (_by, to) => auth.roles.revoke(to.id, 'admin').catch(() => {}),
  (by, to) => by.ask('DELETE', `/admin/users/${to.id}/sessions`),
];

it('of two administrators who demote, disable and delete each other one remains (A-03)', async () => {
  let lost = 0;
  for (let round = 0; round < rounds(40, 300); round++) {
    const [a, b] = await Promise.all([register({}, 'admin'), register({}, 'admin')]);
    await User.update({ disabledAt: new Date() }, { where: { id: admin.id } });
    const attack = attacks[round % attacks.length]!;
    const back = attacks[Math.floor(round / attacks.length) % attacks.length]!;
    await Promise.all([
      attack(a, b),
      back(b, a),
      ...(round % 5 === 0 ? [cli(`user disable ${a.username}`)] : []),
    ]);
    const left = await activeAdmins();
    expect(left, `round ${round}`).toBeGreaterThanOrEqual(1);
    if (left === 1) lost++;
    await User.update({ disabledAt: null }, { where: { id: admin.id } });
    await UserRole.destroy({ where: { userId: [a.id, b.id] } });
  }
  expect(lost).toBeGreaterThan(rounds(10, 100));
});
