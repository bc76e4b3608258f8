import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { eventually } from '#test/support/eventually';
import { openMailbox } from '#test/support/mailbox';
import { folderOf, providerFile } from '#test/support/strategy-folder';

const mailbox = await openMailbox();
const { ask, auth, url, register, ApiKey, Identity, OneTimeToken, Session, User } = await startApp({
  ...mailbox.env,
  STRATEGIES_DIR: folderOf({ 'far.mjs': providerFile('far') }),
  API_KEYS: 'on',
});
let made = 0;
const address = () => `late${++made}@example.com`;

type Person = Awaited<ReturnType<typeof register>>;

/**
 * Sends a request of this user, but holds back its body until the guard let it in and
 * `meanwhile` is done.
 */
async function late(me: Person, [method, path, body]: Request, meanwhile: () => Promise<unknown>) {
  const id = me.tokens.session.id as string;
  await Session.update(
    { createdAt: new Date(Date.now() - 120_000) },
    { where: { id }, silent: true },
  );
  const text = JSON.stringify(body);
  const headers = {
    authorization: `Bearer ${me.token}`,
    'content-type': 'application/json',
    'content-length': text.length,
  };
  const asked = request(url + path, { method, headers });
  asked.flushHeaders();
  // Then the guard has let the request in.
  await eventually(async () => expect((await Session.findByPk(id))!.lastSeenAt).not.toBeNull());
  await meanwhile();
  const answered = once(asked, 'response') as Promise<[IncomingMessage]>;
  asked.end(text);
  const [answer] = await answered;
  return { status: answer.statusCode, code: ((await json(answer)) as { code?: string }).code };
}

/** Requests whose effect would outlast the session. */
const requests = () =>
  [
    ['POST', '/me/api-keys', { name: 'to come back with' }],
    ['POST', '/me/identities/far', { subject: `late ${++made}` }],
    ['POST', '/me/email', { email: address(), currentPassword: password }],
    ['PATCH', '/me', { name: 'too late' }],
    [
      'PUT',
      '/me/password',
      { currentPassword: password, newPassword: 'a password that comes late' },
    ],
    ['DELETE', '/me', { confirm: 'delete' }],
  ] as const;
type Request = ReturnType<typeof requests>[number];

/** The user has no credential by which an attacker could come back. */
async function expectNothingLeft(userId: string) {
  expect([
    await ApiKey.count({ where: { userId } }),
    await Identity.count({ where: { userId } }),
  ]).toEqual([0, 0]);
  expect(await OneTimeToken.count({ where: { userId, purpose: 'change e-mail' } })).toBe(0);
}

const endings: Record<string, (me: Person, email: string) => Promise<unknown>> = {
  'signed out': (me) =>
    ask('POST', '/auth/logout', { body: { refreshToken: me.tokens.refreshToken } }),
  disabled: (me) => auth.users.disable(me.id),
  'given a new password': async (_me, email) => {
    await ask('POST', '/auth/password/forgot', { body: { email } });
    const { secrets } = await mailbox.next(email);
    expect(
      (
        await ask('POST', '/auth/password/reset', {
          body: { ...secrets, password: 'another long password' },
        })
      ).status,
    ).toBe(204);
  },
};

describe('a request that the guard let in, and whose body is held back until the user is', () => {
  it.each(Object.keys(endings))('%s, leaves nothing behind', async (what) => {
    for (const asked of requests()) {
      const email = address();
      const me = await register({ email });
      const answer = await late(me, asked, () => endings[what]!(me, email));
      expect(answer.status, asked[1]).toBe(401);
      await expectNothingLeft(me.id);
      expect((await User.findByPk(me.id))!.name).toBeNull();
      expect(
        (
          await ask('POST', '/auth/login', {
            body: { email, password: 'a password that comes late' },
          })
        ).status,
      ).toBe(401);
    }
  });

  it('deleted, hears that the session has ended', async () => {
    for (const asked of requests()) {
      const me = await register({ email: address() });
      expect(
        await late(me, asked, () => me.ask('DELETE', '/me', { body: { password } })),
        asked[1],
      ).toEqual({
        status: 401,
        code: 'session_ended',
      });
    }
  });
});
