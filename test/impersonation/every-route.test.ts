import { describe, expect, it } from 'vitest';
import { isMembersOnly } from '#src/platform/http/route';
import { password, startApp } from '#test/support/app';
import { acting } from '#test/support/impersonation';
import { openMailbox } from '#test/support/mailbox';
import { isForUsers } from '#test/support/routes';
import { folderOf, providerFile } from '#test/support/strategy-folder';

const mailbox = await openMailbox();
const app = await startApp({
  ...mailbox.env,
  API_KEYS: 'on',
  DIALECTS: 'bezkoder,zohaib,devckano',
  STRATEGIES_DIR: folderOf({ 'far.mjs': providerFile('far') }),
});
const { ask, register, routes, adapters, ApiKey, Factor, Identity, OneTimeToken, Session, User } =
  app;
const { administrator, actFor } = acting(app);
const admin = await administrator('admin');

/** Open to an administrator who acts for a user: they read. To add one, say here why. */
const OPEN = [
  'GET /me', // who the user is, and who acts
  'GET /me/api-keys', // names, never keys
  'GET /me/factors', // kinds and names
  'GET /me/identities',
  'GET /me/sessions', // with the one in which they act
];

const nameOf = ({ method, path }: { method: string; path: string }) =>
  `${method.toUpperCase()} ${path}`;
const members = routes.filter((route) => isForUsers(route));
const concrete = (path: string) => path.replaceAll(/:\w+/g, '0197a000-0000-7000-8000-000000000000');

describe('an administrator who acts for a user', () => {
  it('may call these routes of members', async () => {
    const target = await register();
    const acts = await actFor(admin, target);
    const open: string[] = [];
    for (const route of members) {
      const { status, body } = await acts.ask(route.method.toUpperCase(), concrete(route.path), {
        ...(route.spec.body && { body: {} }),
      });
      if (status === 403 && body.code === 'impersonated') continue;
      open.push(nameOf(route));
      expect(status, nameOf(route)).toBe(200);
    }
    expect(open.sort()).toEqual(OPEN);
    expect(members.length).toBeGreaterThan(20);
  });

  it.each(adapters)(
    'may call no route of $name that needs a sign-in',
    async ({ routes: theirs }) => {
      const { token } = await actFor(admin, await register());
      for (const { method, path, guards } of theirs.filter((route) => isMembersOnly(route))) {
        const headers = { 'x-access-token': token, authorization: `Bearer ${token}` };
        expect(guards.some(({ doc }) => doc.problems?.includes('impersonated'))).toBe(true);
        const response = await fetch(app.url + concrete(path), { method, headers });
        expect([401, 403], `${method} ${path}`).toContain(response.status);
      }
    },
  );

  it('says so in the document, where the route is closed', async () => {
    const document = (await app.document()) as unknown as {
      paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
    };
    for (const route of members) {
      const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
      const text = JSON.stringify(document.paths[path]![route.method]!.responses);
      expect(text.includes('impersonated'), nameOf(route)).toBe(!OPEN.includes(nameOf(route)));
    }
  });

  it('changes nothing about how the user signs in, with requests that are right but for that', async () => {
    const target = await register({ email: 'ada@example.com' });
    const { ask: asThem, id } = await actFor(admin, target);
    const other = target.tokens.session.id as string;
    const before = (await User.findByPk(target.id))!.toJSON();
    for (const [method, path, body] of [
      [
        'PUT',
        '/me/password',
        { currentPassword: password, newPassword: 'a new horse and battery' },
      ],
      ['POST', '/me/email', { email: 'eve@example.com', currentPassword: password }],
      ['PATCH', '/me', { username: 'eve' }],
      ['PATCH', '/me', { name: 'Eve' }],
      ['DELETE', '/me', { password }],
      ['DELETE', '/me', { confirm: 'delete' }],
      ['POST', '/me/api-keys', { name: 'to come back with' }],
      ['POST', '/me/identities/far', { subject: 'eve' }],
      ['POST', '/me/factors/totp', {}],
      ['POST', '/me/factors/passkeys/options', {}],
      ['POST', '/me/factors/recovery-codes', undefined],
      ['DELETE', '/me/sessions', undefined],
      ['DELETE', `/me/sessions/${other}`, undefined],
      ['DELETE', `/me/sessions/${id}`, undefined],
      ['POST', '/auth/reauthenticate', { password }],
      ['GET', '/admin/users', undefined],
    ] as const) {
      const answer = await asThem(method, path, { body });
      expect([answer.status, answer.body.code], `${method} ${path}`).toEqual([403, 'impersonated']);
    }
    const { turn: _1, updatedAt: _2, ...now } = (await User.findByPk(target.id))!.toJSON();
    expect(before).toMatchObject(now);
    const where = { userId: target.id };
    expect(await ApiKey.count({ where })).toBe(0);
    expect(await Identity.count({ where })).toBe(0);
    expect(await Factor.count({ where })).toBe(0);
    expect(await OneTimeToken.count({ where: { ...where, purpose: 'change e-mail' } })).toBe(0);
    expect(await Session.count({ where: { ...where, endedAt: null } })).toBe(2);
    expect((await ask('GET', '/me', { token: target.token })).status).toBe(200);
  });
});
