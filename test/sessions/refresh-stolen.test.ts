import { afterEach, describe, expect, it, vi } from 'vitest';
import { startApp } from '#test/support/app';
import { DAY, SECOND, wait } from '#test/support/clock';
import { refreshing, REUSED, REVOKED } from '#test/support/refreshing';
import { rounds } from '#test/support/rounds';

const app = await startApp();
const { register, logIn } = app;
afterEach(() => void vi.useRealTimers());

const { refresh, rowOf, me, expectEndedAsReused, expectLive, events } = refreshing(app);

describe('a token that was spent', () => {
  it.each([
    [0, true],
    [19, true],
    [20, false],
    [21, false],
    [DAY / SECOND, false],
  ])('%i seconds ago, its successor in use: is good %s (R-02)', async (seconds, good) => {
    const { tokens } = await register();
    wait(0);
    const { body } = await refresh(tokens.refreshToken);
    expect((await me(body.accessToken)).status).toBe(200);
    wait(seconds * SECOND);
    const again = await refresh(tokens.refreshToken);
    expect(again).toMatchObject(
      good ? { status: 200, body: { refreshToken: body.refreshToken } } : REUSED,
    );
    await (good ? expectLive(tokens) : expectEndedAsReused(tokens));
  });

  it('a day ago, its successor never used by an older access token: is good', async () => {
    const { tokens } = await register();
    const { body } = await refresh(tokens.refreshToken);
    expect((await me(tokens.accessToken)).status).toBe(200);
    wait(DAY);
    expect(await refresh(tokens.refreshToken)).toMatchObject({
      status: 200,
      body: { refreshToken: body.refreshToken },
    });
    await expectLive(tokens);
  });

  it.each([0, 1, 2])(
    'and is older than the parent, generation %i of 4: ends the session at once',
    async (generation) => {
      const { tokens } = await register();
      const all = [tokens];
      while (all.length < 5) all.push((await refresh(all.at(-1).refreshToken)).body);
      for (const { accessToken } of all) expect((await me(accessToken)).status).toBe(200);
      expect(await refresh(all[generation].refreshToken)).toMatchObject(REUSED);
      for (const { accessToken } of all)
        expect((await me(accessToken)).body.code).toBe('session_ended');
      for (const { refreshToken } of all)
        expect(await refresh(refreshToken)).toMatchObject(REVOKED);
      await expectEndedAsReused(tokens);
    },
  );

  it('and presented by ten at once: one theft is told, nobody gets in', async () => {
    for (let round = 0; round < rounds(3, 100); round++) {
      const { tokens } = await register();
      const newest = (await refresh((await refresh(tokens.refreshToken)).body.refreshToken)).body;
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => refresh(tokens.refreshToken)),
      );
      for (const { status, body } of answers) {
        expect([status, body.code, body.sessionStatus]).toEqual([400, 'invalid_grant', 'ended']);
        expect(['reused', 'revoked']).toContain(body.reason);
      }
      expect(answers.map(({ body }) => body.reason)).toContain('reused');
      expect((await me(newest.accessToken)).body.code).toBe('session_ended');
      expect(await refresh(newest.refreshToken)).toMatchObject(REVOKED);
      await expectEndedAsReused(tokens);
    }
  });

  it('by the thief first: the owner who comes second ends both', async () => {
    const { tokens } = await register();
    const stolen = (await refresh(tokens.refreshToken)).body;
    expect((await me(stolen.accessToken)).status).toBe(200);
    wait(20 * SECOND);
    expect(await refresh(tokens.refreshToken)).toMatchObject(REUSED);
    expect((await me(stolen.accessToken)).status).toBe(401);
    expect(await refresh(stolen.refreshToken)).toMatchObject(REVOKED);
    await expectEndedAsReused(tokens);
  });

  it('while its successor is spent at the same moment: both are decided one after the other', async () => {
    for (let round = 0; round < 5; round++) {
      const { tokens } = await register();
      const { body } = await refresh(tokens.refreshToken);
      await me(body.accessToken);
      const [old, next] = await Promise.all([
        refresh(tokens.refreshToken),
        refresh(body.refreshToken),
      ]);
      const row = await rowOf(tokens);
      if (old.status === 200)
        expect([old.body.refreshToken, next.status, row.endedAt]).toEqual([
          body.refreshToken,
          200,
          null,
        ]);
      else expect(row.endedAt).not.toBeNull();
      if (next.status === 200)
        expect((await me(next.body.accessToken)).status).toBe(row.endedAt ? 401 : 200);
    }
  });

  it('ends its own session only: others of the user live on, and no other user hears of it', async () => {
    const [ada, bob] = [await register(), await register()];
    const other = (await logIn(ada.username)).body;
    const { body } = await refresh(ada.tokens.refreshToken);
    await refresh(body.refreshToken);
    expect(await refresh(ada.tokens.refreshToken)).toMatchObject(REUSED);
    for (const { accessToken, refreshToken } of [other, bob.tokens]) {
      expect((await me(accessToken)).status).toBe(200);
      expect((await refresh(refreshToken)).status).toBe(200);
    }
    await expectEndedAsReused(ada.tokens);
    expect((await logIn(ada.username)).status).toBe(200);
  });

  it('is told with the user and where it came from', async () => {
    const ada = await register();
    await refresh((await refresh(ada.tokens.refreshToken)).body.refreshToken);
    await refresh(ada.tokens.refreshToken);
    expect(events).toContainEqual({
      name: 'session.reused',
      userId: ada.id,
      sessionId: ada.tokens.session.id,
      ip: '127.0.0.1',
    });
  });
});
