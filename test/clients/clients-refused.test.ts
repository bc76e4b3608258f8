import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { password } from '#test/support/app';
import { examples } from '#test/support/clients/examples';
import { heldUntil, refused, says, type Fate } from '#test/support/clients/gate';
import { expire, ME, outcome, REFRESH, startHarness } from '#test/support/clients/harness';
import { eventually } from '#test/support/eventually';

const { auth, ask, gate, problem, register, signedIn, User } = await startHarness();

describe.each(examples)('%s', (_name, create) => {
  describe('signs nobody out by mistake:', () => {
    it.each<[what: string, fate: Fate]>([
      ['a 401', problem('token_expired')],
      ['a 404', says(404, '<h1>Not Found</h1>')],
      ['a 503', problem('unavailable')],
      ['a page of something in between', says(200, '<h1>Please accept our terms</h1>')],
      ['a line that breaks', refused],
    ])('keeps the tokens when every refresh ends in %s, and gives up', async (_what, fate) => {
      const { client, storage, pauses, sessionId } = await signedIn(create);
      const before = storage.held();
      expire();
      gate.all(REFRESH, fate);
      await expect(client.request('GET', '/me')).rejects.toThrow('Cannot refresh');
      expect([gate.count(ME), gate.count(REFRESH), pauses.length]).toEqual([1, 4, 3]);
      expect(storage.held()).toEqual(before);
      gate.forget();
      expect((await client.request('GET', '/me')).status).toBe(200);
      expect(storage.held()!.session.id).toBe(sessionId);
    });

    it('keeps the tokens when the server does not know them, and asks once', async () => {
      const { client, storage } = await signedIn(create);
      const foreign = {
        ...storage.held()!,
        accessToken: 'x',
        refreshToken: `rt1.${randomBytes(57).toString('base64url')}`,
      };
      await storage.set(foreign);
      const { cause } = await outcome(client.request('GET', '/me'));
      expect(cause).toMatchObject({
        code: 'invalid_grant',
        reason: 'unknown',
        sessionStatus: 'unknown',
        action: 'sign_in',
      });
      expect([gate.count(ME), gate.count(REFRESH)]).toEqual([1, 1]);
      expect(storage.held()).toEqual(foreign);
    });

    it.each<
      [refusal: string, status: number, code: string, method: string, path: string, body?: object]
    >([
      ['a role is missing', 403, 'forbidden', 'GET', '/admin/users'],
      [
        'a password is wrong',
        401,
        'invalid_credentials',
        'PUT',
        '/me/password',
        { currentPassword: 'no', newPassword: 'n' },
      ],
      ['a field is wrong', 400, 'invalid_request', 'PATCH', '/me', { surplus: 1 }],
      ['there is nothing', 404, 'not_found', 'GET', '/nothing'],
    ])('does not refresh when %s', async (_refusal, status, code, method, path, body) => {
      const { client, storage } = await signedIn(create);
      expect(await outcome(client.request(method, path, body))).toMatchObject({ status, code });
      expect([gate.seen.length, gate.count(REFRESH)]).toEqual([1, 0]);
      expect(storage.held()).not.toBeNull();
    });

    it('repeats a request once, and then gives up', async () => {
      const { client, storage } = await signedIn(create);
      gate.all(ME, problem('token_expired'));
      expect(await outcome(client.request('GET', '/me'))).toMatchObject({
        status: 401,
        code: 'token_expired',
      });
      expect([gate.count(ME), gate.count(REFRESH)]).toEqual([2, 1]);
      expect(storage.held()).not.toBeNull();
    });
  });

  describe('notices when it is over:', () => {
    it.each<[how: string, end: (user: Awaited<ReturnType<typeof register>>) => Promise<unknown>]>([
      [
        'the session was ended elsewhere',
        ({ tokens }) =>
          ask('POST', '/auth/logout', { body: { refreshToken: tokens.refreshToken } }),
      ],
      ['the user was disabled', (user) => auth.users.disable(user.id)],
      ['the user was deleted', (user) => User.destroy({ where: { id: user.id } })],
    ])('erases the tokens when %s, tells the caller, and asks no more', async (_how, end) => {
      const { client, storage, user } = await signedIn(create);
      await end(user);
      const heard = await Promise.all(
        Array.from({ length: 20 }, () => outcome(client.request('GET', '/me'))),
      );
      expect(heard.map(({ cause }) => cause)).toContainEqual(
        expect.objectContaining({
          code: 'invalid_grant',
          reason: 'revoked',
          sessionStatus: 'ended',
          action: 'sign_in',
        }),
      );
      for (const { status } of heard) expect([0, 401]).toContain(status);
      expect([gate.count(ME), gate.count(REFRESH)]).toEqual([20, 1]);
      expect(storage.held()).toBeNull();
      expect(await outcome(client.request('GET', '/me'))).toMatchObject({
        status: 401,
        code: 'token_missing',
      });
      expect(gate.count(REFRESH)).toBe(1);
    });

    it('does not repeat for one user what another had asked', async () => {
      const { client, storage } = await signedIn(create);
      const other = await register();
      expire();
      const { promise, resolve } = Promise.withResolvers<void>();
      gate.next(ME, heldUntil(promise));
      const asked = outcome(client.request('GET', '/me'));
      await eventually(() => expect(gate.count(ME)).toBe(1));
      await client.login({ identifier: other.username, password });
      resolve();
      expect(await asked).toMatchObject({ status: 401, code: 'token_expired' });
      expect([gate.count(ME), gate.count(REFRESH)]).toEqual([1, 0]);
      expect(storage.held()!.user.id).toBe(other.id);
    });
  });
});

describe('the server', () => {
  it('refuses a refresh with 400, never with 401', async () => {
    const { tokens } = await register();
    await ask('POST', '/auth/logout', { body: { refreshToken: tokens.refreshToken } });
    for (const refreshToken of [tokens.refreshToken, tokens.accessToken, 'x'])
      for (const token of [undefined, tokens.accessToken, 'x']) {
        const { status, body } = await ask('POST', '/auth/refresh', {
          token,
          body: { refreshToken },
        });
        expect([status, body.code]).toEqual([400, 'invalid_grant']);
      }
  });
});
