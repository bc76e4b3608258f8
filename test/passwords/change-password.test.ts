import { describe, expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { IN, OUT, threeTimes, worth, worths } from '#test/support/worth';

const app = await startApp();
const { ctx, ask, register, logIn, Session, User } = app;

type Member = Awaited<ReturnType<typeof register>>;
const events: { name: string }[] = [];
ctx.events.onAny((name, event) => void events.push({ name, ...event }));

const wanted = 'staple battery horse';
const change = (
  { ask: as }: Pick<Member, 'ask'>,
  newPassword = wanted,
  currentPassword = password,
) => as('PUT', '/me/password', { body: { currentPassword, newPassword } });
/** Nothing that has happened so far is remembered. */
async function devices(fields = {}) {
  const found = await threeTimes(app, fields);
  events.length = 0;
  return found;
}
const live = (userId: string) => Session.count({ where: { userId, endedAt: null } });

describe('PUT /me/password refuses', async () => {
  const { ada, held } = await devices({ username: 'ada-lovelace' });
  const hash = (await User.findByPk(ada.id))!.passwordHash;
  async function expectUnchanged() {
    expect(events.filter(({ name }) => name !== 'session.refused')).toEqual([]);
    expect((await User.findByPk(ada.id))!.passwordHash).toBe(hash);
    expect(await live(ada.id)).toBe(3);
  }

  it('strangers', async () => {
    expect(await change({ ask })).toMatchObject({ status: 401, body: { code: 'token_missing' } });
    expect(await ask('PUT', '/me/password', { body: {} })).toMatchObject({
      status: 401,
      body: { code: 'token_missing' },
    });
  });

  it.each([
    ['no body', undefined],
    ['no new password', { currentPassword: password }],
    ['no current password', { newPassword: wanted }],
    ['an empty new password', { currentPassword: password, newPassword: '' }],
    ['a new password in a list', { currentPassword: password, newPassword: [wanted] }],
    ['a current password that is null', { currentPassword: null, newPassword: wanted }],
    [
      'a new password of 1025 characters',
      { currentPassword: password, newPassword: 'x'.repeat(1025) },
    ],
    ['half a character', { currentPassword: password, newPassword: 'half a character \ud800' }],
    ['somebody else’s id', { currentPassword: password, newPassword: wanted, id: ada.id }],
  ])('%s', async (_what, body) => {
    expect(await ada.ask('PUT', '/me/password', { body })).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    });
    await expectUnchanged();
  });

  it.each(['wrong password', `${password} `, password.toUpperCase(), `${password}\0`, wanted])(
    'the current password %j, and nothing ends',
    async (current) => {
      expect(await change(ada, wanted, current)).toMatchObject({
        status: 401,
        body: { code: 'invalid_credentials', action: 'fix_request' },
      });
      await expectUnchanged();
    },
  );

  it.each([
    ['too_short', 'abc123!'],
    ['too_common', 'password123'],
    ['contains_name', 'ada-lovelace'],
    ['contains_name', 'ADA-Lovelace1'],
  ])('a new password that is %s, and nothing ends', async (code, weak) => {
    const { status, body } = await change(ada, weak);
    expect([status, body.code]).toEqual([422, 'weak_password']);
    expect(body.errors).toContainEqual({
      pointer: '/newPassword',
      code,
      message: expect.any(String),
    });
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(
      Array(body.errors.length).fill('/newPassword'),
    );
    await expectUnchanged();
  });

  it('the password that they have, and nothing ends (V-15)', async () => {
    expect(await change(ada, password)).toMatchObject({
      status: 422,
      body: { code: 'weak_password', errors: [{ pointer: '/newPassword' }] },
    });
    await expectUnchanged();
  });

  it('the same password in other Unicode, and nothing ends (V-15)', async () => {
    const zoe = await register({ password: 'caf\u00e9 au lait s’il te pla\u00eet' });
    const composed = 'caf\u00e9 au lait s’il te pla\u00eet';
    expect((await change(zoe, composed.normalize('NFD'), composed)).body.code).toBe(
      'weak_password',
    );
    expect((await zoe.ask('GET', '/me')).status).toBe(200);
  });

  it('who has no password', async () => {
    const guest = await register();
    await User.update({ passwordHash: null }, { where: { id: guest.id } });
    expect((await change(guest)).body.code).toBe('invalid_credentials');
    expect(await live(guest.id)).toBe(1);
  });

  it('in all of that, nobody’s session', async () => {
    expect(await worths(ask, held)).toEqual([IN, IN, IN]);
  });
});

describe('PUT /me/password', () => {
  it('ends every session, and answers a new one for the same device (V-04)', async () => {
    const device = { kind: 'mobile', name: 'Ada’s phone', platform: 'iOS' };
    const { ada, held } = await devices({ device });
    const bob = await register();
    const { status, body } = await change(ada);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      tokenType: 'Bearer',
      user: ada.tokens.user,
      refreshExpiresIn: 60 * 86_400,
      session: { strategy: 'local' },
    });
    expect(Object.keys(body).sort()).toEqual(Object.keys(ada.tokens).sort());
    const ended = held.map(({ session }) => session.id);
    expect(ended).not.toContain(body.session.id);
    const said = events.filter(({ name }) => name === 'session.ended');
    expect(said).toHaveLength(3);
    for (const sessionId of ended)
      expect(said).toContainEqual({
        name: 'session.ended',
        userId: ada.id,
        sessionId,
        why: 'password_changed',
      });
    expect(events).toContainEqual({ name: 'user.password_changed', userId: ada.id });
    const { data } = (await ask('GET', '/me/sessions', { token: body.accessToken })).body;
    expect(data).toMatchObject([{ id: body.session.id, device, current: true }]);
    expect(await worths(ask, [...held, body, bob.tokens])).toEqual([OUT, OUT, OUT, IN, IN]);
  });

  it('lets in with the new password and with no other', async () => {
    const { ada } = await devices();
    await change(ada);
    for (const old of [password, `${wanted} `])
      expect((await logIn(ada.username, old)).body.code).toBe('invalid_credentials');
    const { body } = await logIn(ada.username, wanted);
    expect(await worth(ask, body)).toBe(IN);
    const back = await change(
      {
        ask: (method, path, question) =>
          ask(method, path, { ...question, token: body.accessToken }),
      },
      password,
      wanted,
    );
    expect(back.status).toBe(200);
    expect((await logIn(ada.username)).status).toBe(200);
  });

  it('takes passwords of more than 72 bytes whole', async () => {
    const long = `${'é'.repeat(40)} and then a tail`;
    const ada = await register();
    const { body } = await change(ada, `${long} 1`);
    expect((await logIn(ada.username, `${long} 2`)).status).toBe(401);
    expect((await logIn(ada.username, long.slice(0, 40))).status).toBe(401);
    expect((await logIn(ada.username, `${long} 1`)).status).toBe(200);
    const again = {
      ask: (method: string, path: string, question = {}) =>
        ask(method, path, { ...question, token: body.accessToken }),
    };
    expect((await change(again, `${long} 2`, `${long} 2`)).status).toBe(401);
    expect((await change(again, `${long} 2`, `${long} 1`)).status).toBe(200);
    expect((await logIn(ada.username, `${long} 2`)).status).toBe(200);
  });

  it('cannot be asked for with a token of a session that has ended', async () => {
    const { ada, held } = await devices();
    await ask('POST', '/auth/logout', { token: held[1].accessToken });
    expect(
      await ask('PUT', '/me/password', {
        token: held[1].accessToken,
        body: { currentPassword: password, newPassword: wanted },
      }),
    ).toMatchObject({
      status: 401,
      body: { code: 'session_ended' },
    });
    expect((await logIn(ada.username)).status).toBe(200);
  });
});
