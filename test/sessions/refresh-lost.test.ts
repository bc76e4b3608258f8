import { connect } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startApp } from '#test/support/app';
import { DAY, SECOND, wait } from '#test/support/clock';
import { eventually } from '#test/support/eventually';
import { refreshing, REUSED } from '#test/support/refreshing';
import { read } from '#test/support/forge';
import { jsonRequest } from '#test/support/raw-socket';

const app = await startApp();
const { ctx, register, url } = app;
afterEach(() => void vi.useRealTimers());

const { refresh, rowOf, me, expectEndedAsReused, expectLive } = refreshing(app);

/** Asks, and closes the connection before the answer is read. */
const refreshUnheard = (refreshToken: string) =>
  new Promise<void>((resolve) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.pause().once('close', () => resolve());
    socket.write(jsonRequest('POST', '/auth/refresh', JSON.stringify({ refreshToken })), () =>
      socket.destroy(),
    );
  });

it('that is had again late begins the 20 seconds anew, so that two tabs may ask for it', async () => {
  const { tokens } = await register();
  await refresh(tokens.refreshToken);
  wait(DAY);
  const first = await refresh(tokens.refreshToken);
  expect((await me(first.body.accessToken)).status).toBe(200);
  const second = await refresh(tokens.refreshToken);
  expect([second.status, second.body.refreshToken]).toEqual([200, first.body.refreshToken]);
  await expectLive(tokens);
  wait(20 * SECOND);
  expect(await refresh(tokens.refreshToken)).toMatchObject(REUSED);
});

it('that is had again begins them for no other session', async () => {
  const [other, { tokens }] = [await register(), await register()];
  await refresh(other.tokens.refreshToken);
  await refresh(tokens.refreshToken);
  const { rotatedAt } = await rowOf(other.tokens);
  wait(DAY);
  expect((await refresh(tokens.refreshToken)).status).toBe(200);
  expect((await rowOf(other.tokens)).rotatedAt).toEqual(rotatedAt);
});

describe('a reply that is lost (R-05)', () => {
  it.each([
    ['ignored', async (token: string) => void (await refresh(token))],
    ['never read: the client hung up', refreshUnheard],
  ])('and %s is had again a day later with the same token', async (_how, lose) => {
    const { tokens } = await register();
    await lose(tokens.refreshToken);
    await eventually(async () => expect((await rowOf(tokens)).generation).toBe(1));
    const { expiresAt } = await rowOf(tokens);
    wait(DAY);
    const { status, body } = await refresh(tokens.refreshToken);
    expect(status).toBe(200);
    expect(read(body.accessToken).claims).toMatchObject({
      gen: 1,
      iat: Math.floor(ctx.clock.now() / 1000),
    });
    expect(await rowOf(tokens)).toMatchObject({ generation: 1, acknowledged: false, expiresAt });
    expect((await me(body.accessToken)).status).toBe(200);
    expect((await refresh(body.refreshToken)).status).toBe(200);
    await expectLive(tokens);
  });

  it('several times in a row, and again in the next generation: always the same successor', async () => {
    let { refreshToken, session } = (await register()).tokens;
    for (let generation = 1; generation <= 3; generation++) {
      const successors = new Set<string>();
      await refreshUnheard(refreshToken);
      await eventually(async () => expect(await rowOf({ session })).toMatchObject({ generation }));
      for (let i = 0; i < 4; i++) {
        wait(3 * 3600 * SECOND);
        const { status, body } = await refresh(refreshToken);
        expect(status).toBe(200);
        successors.add(body.refreshToken);
      }
      expect(successors.size).toBe(1);
      expect(await rowOf({ session })).toMatchObject({ generation });
      [refreshToken] = [...successors] as [string];
    }
    await expectLive({ session });
  });

  it('does not make the session longer, and is lost for good when it expires', async () => {
    const { tokens } = await register();
    wait(0);
    const { session } = (await refresh(tokens.refreshToken)).body;
    wait(13 * DAY);
    expect(await refresh(tokens.refreshToken)).toMatchObject({
      status: 200,
      body: { refreshExpiresIn: DAY / 1000, session },
    });
    wait(DAY);
    expect((await refresh(tokens.refreshToken)).body).toMatchObject({
      reason: 'expired',
      sessionStatus: 'ended',
    });
  });

  it('is not taken for lost any more when its successor was spent: the parent of the parent is a thief', async () => {
    const { tokens } = await register();
    const { body } = await refresh(tokens.refreshToken);
    await refresh(body.refreshToken);
    expect(await refresh(tokens.refreshToken)).toMatchObject(REUSED);
    await expectEndedAsReused(tokens);
  });
});
