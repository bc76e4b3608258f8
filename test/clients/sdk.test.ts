import { describe, expect, it, vi } from 'vitest';
import type { Prompt, State } from '#src/client/types';
import { password } from '#test/support/app';
import { lost, mute, refused, says } from '#test/support/clients/gate';
import { expire, LOGOUT, ME, REFRESH } from '#test/support/clients/harness';
import { sharedTexts, startSdk } from '#test/support/clients/sdk-harness';
import { eventually } from '#test/support/eventually';
import { addApp } from '#test/support/second-factor';

const { ask, clientOn, ctx, gate, generationOf, problem, register, signedInOn } = await startSdk();
const sessionStatus = async (refreshToken: string) =>
  (await ask('POST', '/auth/refresh', { body: { refreshToken } })).body.sessionStatus as string;

describe('the state', () => {
  it('follows who signs in and out, in every tab', async () => {
    const shared = sharedTexts();
    const { client } = clientOn({ storage: shared.tab() });
    const { client: other } = clientOn({ storage: shared.tab() });
    expect(client.state.status).toBe('loading');
    const heard: State[] = [];
    const end = client.onChange((state) => heard.push(state));
    await eventually(() => expect(client.state.status).toBe('signed_out'));
    const { username } = await register();
    await client.signIn({ identifier: username, password });
    await eventually(() => expect(other.state.user?.username).toBe(username));
    expect(client.state).toMatchObject({ status: 'signed_in', user: { username } });
    await other.signOut();
    await eventually(() => expect(client.state.status).toBe('signed_out'));
    expect(heard.map(({ status }) => status)).toEqual(['signed_out', 'signed_in', 'signed_out']);
    end();
    await client.signIn({ identifier: username, password });
    expect(heard).toHaveLength(3);
  });

  it('says why nobody is signed in any more', async () => {
    const { client, tokens } = await signedInOn();
    await ask('POST', '/auth/logout', { body: { refreshToken: tokens.refreshToken } });
    const answer = await client.request('GET', '/me');
    expect(answer.body).toMatchObject({ code: 'invalid_grant', action: 'sign_in' });
    expect(client.state).toMatchObject({ status: 'signed_out', problem: { reason: 'revoked' } });
  });

  it('is signed out, and keeps the tokens, where the server does not know them', async () => {
    const { client, texts, tokens, credentials } = await signedInOn();
    const foreign = { ...tokens, accessToken: 'x', refreshToken: 'rt1.x' };
    texts.set('sallyport', JSON.stringify(foreign));
    expect((await client.request('GET', '/me')).body).toMatchObject({ sessionStatus: 'unknown' });
    expect(client.state).toMatchObject({ status: 'signed_out', problem: { reason: 'unknown' } });
    expect(texts.get('sallyport')).toBe(JSON.stringify(foreign));
    expect((await client.signIn(credentials)).ok).toBe(true);
    expect(client.state.status).toBe('signed_in');
  });
});

describe('a request', () => {
  it('fills the path, and lets no parameter name another', async () => {
    const { client, sessionId } = await signedInOn();
    for (const id of ['..', '.', ''])
      await expect(
        client.request('DELETE', '/me/sessions/{id}', null, { params: { id } }),
      ).rejects.toThrow('id cannot be');
    const strange = await client.request('DELETE', '/me/sessions/{id}', null, {
      params: { id: '../x?y' },
    });
    expect([strange.status, gate.seen.at(-1)!.what]).toEqual([
      400,
      'DELETE /me/sessions/..%2Fx%3Fy',
    ]);
    const listed = await client.request('GET', '/me/sessions', null, { query: { limit: 1 } });
    expect(listed.ok && listed.body.data).toHaveLength(1);
    const params = { id: sessionId };
    expect((await client.request('DELETE', '/me/sessions/{id}', null, { params })).status).toBe(
      204,
    );
  });

  it('is answered also by a storage that fails, and nobody is signed out', async () => {
    const shared = sharedTexts();
    let isLocked = false;
    const tab = shared.tab();
    const get = (key: string) => {
      if (isLocked) throw new Error('errSecInteractionNotAllowed');
      return tab.get(key);
    };
    const { client } = await signedInOn({ storage: { ...tab, get } });
    isLocked = true;
    expect((await client.request('GET', '/me')).body).toMatchObject({ code: 'storage_failed' });
    expect(client.state.status).toBe('signed_in');
    isLocked = false;
    expect((await client.request('GET', '/me')).status).toBe(200);
  });

  it('does not ask a server before it wants to be asked', async () => {
    const { client, pauses } = await signedInOn();
    expire();
    gate.next(REFRESH, says(503, { code: 'unavailable', action: 'wait' }, { 'retry-after': '60' }));
    for (let i = 0; i < 2; i++)
      expect(await client.request('GET', '/me')).toMatchObject({
        status: 503,
        body: { action: 'wait' },
      });
    expect([gate.count(REFRESH), pauses]).toEqual([1, []]);
    expect(client.state.status).toBe('signed_in');
  });

  it('refreshes before the token runs out, by a clock that only goes forward', async () => {
    const { client } = await signedInOn();
    expect((await client.request('GET', '/me')).status).toBe(200);
    const now = performance.now() + 599_000;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
    expect((await client.request('GET', '/me')).status).toBe(200);
    clock.mockRestore();
    expect([gate.count(REFRESH), gate.count(ME)]).toEqual([1, 2]);
  });

  it('is sent once if it signs somebody in or changes something, and no answer comes', async () => {
    const { client, credentials } = await signedInOn();
    const asked = ['POST /auth/login', 'POST /me/factors/totp'];
    gate.forget();
    for (const what of asked) gate.all(what, lost);
    for (const answer of [
      await client.signIn(credentials),
      await client.request('POST', '/me/factors/totp'),
    ])
      expect(answer.body).toMatchObject({ code: 'no_answer' });
    for (const what of asked) expect(gate.count(what), what).toBe(1);
  });

  it('goes on after three seconds when another tab holds the lock', async () => {
    const { client, sessionId } = await signedInOn();
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    const { locks } = navigator; // of Node 24
    if (!locks) return;
    const holding = locks.request(`sallyport ${gate.url}`, () => held);
    expire();
    expect((await client.request('GET', '/me')).status).toBe(200);
    expect(await generationOf(sessionId)).toBe(1);
    letGo();
    await holding;
  });

  it('waits for the tab that refreshes', async () => {
    const shared = sharedTexts();
    const { client, credentials } = await signedInOn({ storage: shared.tab() });
    const { client: other } = clientOn({ storage: shared.tab() });
    expect((await other.request('GET', '/me')).status).toBe(200);
    expect(credentials.identifier).toBe(other.state.user?.username);
    expire();
    const both = await Promise.all([client.request('GET', '/me'), other.request('GET', '/me')]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    expect(gate.together(REFRESH)).toBe(1);
    if ('locks' in navigator) expect(gate.count(REFRESH)).toBe(1);
  });
});

describe('a sign-out', () => {
  it.each([
    ['does not arrive', refused],
    ['is answered 503', problem('unavailable')],
  ])('that %s reaches the server after a restart of the app', async (_what, fate) => {
    const shared = sharedTexts();
    const { client, tokens } = await signedInOn({ storage: shared.tab() });
    gate.all(LOGOUT, fate);
    expect((await client.signOut()).body).toMatchObject({ action: 'wait' });
    expect(client.state.status).toBe('signed_out');
    expect(shared.texts.has('sallyport')).toBe(false);
    gate.forget();
    clientOn({ storage: shared.tab() });
    await eventually(() => expect([...shared.texts.keys()]).toEqual([]));
    expect(await sessionStatus(tokens.refreshToken!)).toBe('ended');
  });

  it('of an app that ends meanwhile is not lost', async () => {
    const shared = sharedTexts();
    const { client, tokens } = await signedInOn({ storage: shared.tab(), timeout: 300 });
    gate.all(LOGOUT, ({ req }) => void req.resume());
    void client.signOut();
    await eventually(() => expect(gate.count(LOGOUT)).toBe(1));
    expect([...shared.texts.keys()]).toEqual(['sallyport.ended']);
    gate.forget();
    clientOn({ storage: shared.tab() });
    await eventually(() => expect([...shared.texts.keys()]).toEqual([]));
    expect(await sessionStatus(tokens.refreshToken!)).toBe('ended');
  });

  it('everywhere ends all sessions', async () => {
    const { client, user } = await signedInOn();
    expect((await client.signOut({ everywhere: true })).status).toBe(204);
    expect(await sessionStatus(user.tokens.refreshToken)).toBe('ended');
    expect((await client.signOut()).status).toBe(204);
  });
});

describe('a prompt', () => {
  it('finishes a sign-in with a second factor, and goes on with what needed a proof', async () => {
    const user = await register();
    const { code, recoveryCodes } = await addApp(ctx, user);
    const asked: [action: string, wrong: boolean][] = [];
    const prompt: Prompt = async ({ action }, wrong) => {
      asked.push([action, wrong]);
      if (action === 'second_factor') return { code: wrong ? code() : '000 00x' };
      return { recoveryCode: recoveryCodes[0]! };
    };
    const device = { kind: 'mobile', name: 'Ada’s phone' } as const;
    const { client } = clientOn({ prompt, device });
    const entered = await client.signIn({ identifier: user.username, password });
    expect(entered.ok && entered.body.session.acr).toBe('aal2');
    expect(entered.ok && entered.body.refreshExpiresIn).toBe(60 * 24 * 3600);
    for (let tenMinutes = 0; tenMinutes < 7; tenMinutes++) expire(); // a proof lasts an hour
    const renewed = await client.request('POST', '/me/factors/recovery-codes');
    expect(renewed.status, JSON.stringify(renewed.body)).toBe(200);
    expect(asked).toEqual([
      ['second_factor', false],
      ['second_factor', true],
      ['step_up', false],
    ]);
  });

  it('answers the refusal when the user gives up, and where nobody asks', async () => {
    const user = await register();
    await addApp(ctx, user);
    for (const prompt of [undefined, async () => null]) {
      const { client } = clientOn(prompt ? { prompt } : {});
      const { body } = await client.signIn({ identifier: user.username, password });
      expect(body).toMatchObject({ code: 'mfa_required', factors: ['totp', 'recovery_code'] });
      expect(client.state.user).toBeNull();
    }
  });
});

it('asks again with the same token when the reply was lost and the app was closed (R)', async () => {
  const shared = sharedTexts();
  const { sessionId, client } = await signedInOn({ storage: shared.tab(), timeout: 300 });
  expire();
  gate.all(REFRESH, mute);
  expect((await client.request('GET', '/me')).body).toMatchObject({ code: 'no_answer' });
  expect(gate.count(REFRESH)).toBe(4);
  gate.forget();
  const { client: next } = clientOn({ storage: shared.tab() });
  expect((await next.request('GET', '/me')).status).toBe(200);
  expect([gate.count(ME), await generationOf(sessionId)]).toEqual([2, 1]);
});
