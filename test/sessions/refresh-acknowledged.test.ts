import { afterEach, describe, expect, it, vi } from 'vitest';
import { startApp } from '#test/support/app';
import { SECOND, wait } from '#test/support/clock';
import { hold } from '#test/support/elsewhere';
import { statementsOf } from '#test/support/statements';
import { eventually } from '#test/support/eventually';

const { ctx, ask, databaseUrl, register, Session, User } = await startApp();
afterEach(() => void vi.useRealTimers());

const statements = statementsOf(
  User.sequelize,
  (sql) => !/signing_keys|: (SELECT|BEGIN|START|COMMIT)\b/.test(sql),
);
/** The statements that write during this work. */
async function writesDuring(work: () => Promise<unknown>): Promise<string[]> {
  statements.length = 0;
  await work();
  return [...statements];
}
const ACKNOWLEDGED = [
  expect.stringMatching(/^UPDATE `sessions` SET `last_seen_at`=\S+`acknowledged`=/),
];
const SEEN = [expect.stringMatching(/^UPDATE `sessions` SET `last_seen_at`=[^`]+`updated_at`=/)];

const refresh = (refreshToken: string) => ask('POST', '/auth/refresh', { body: { refreshToken } });
const rowOf = async ({ session }: { session: { id: string } }) =>
  (await Session.findByPk(session.id))!;
const enter = (token: string) => async () =>
  expect((await ask('GET', '/me', { token })).status).toBe(200);

describe('a generation is acknowledged', () => {
  it('by the first guarded request that shows it, in one statement; later ones write nothing', async () => {
    let { tokens } = await register();
    for (let generation = 1; generation <= 3; generation++) {
      tokens = (await refresh(tokens.refreshToken)).body;
      expect(await rowOf(tokens)).toMatchObject({ generation, acknowledged: false });
      expect(await writesDuring(enter(tokens.accessToken))).toEqual(ACKNOWLEDGED);
      expect(await rowOf(tokens)).toMatchObject({ generation, acknowledged: true });
      for (let i = 0; i < 5; i++) expect(await writesDuring(enter(tokens.accessToken))).toEqual([]);
    }
  });

  it('once by twenty that come at once', async () => {
    const { body } = await refresh((await register()).tokens.refreshToken);
    const crowd = () => Promise.all(Array.from({ length: 20 }, enter(body.accessToken)));
    expect(await writesDuring(crowd)).toEqual(ACKNOWLEDGED);
    expect(await writesDuring(crowd)).toEqual([]);
    expect(await rowOf(body)).toMatchObject({ generation: 1, acknowledged: true });
  });

  it('by a request that is forbidden, and by none that finds nothing or is refused', async () => {
    const { body } = await refresh((await register()).tokens.refreshToken);
    const strangers = async () => {
      for (const token of [undefined, `${body.accessToken}x`, body.refreshToken])
        expect((await ask('GET', '/me', { token })).status).toBe(401);
      await ask('GET', '/livez', { token: body.accessToken });
    };
    expect(await writesDuring(strangers)).toEqual([]);
    expect((await rowOf(body)).acknowledged).toBe(false);
    const forbidden = async () =>
      expect((await ask('GET', '/admin/users', { token: body.accessToken })).status).toBe(403);
    expect(await writesDuring(forbidden)).toEqual(ACKNOWLEDGED);
  });

  it('not by an access token of an older one', async () => {
    const { tokens } = await register();
    const first = (await refresh(tokens.refreshToken)).body;
    const second = (await refresh(first.refreshToken)).body;
    for (const { accessToken } of [tokens, first])
      expect(await writesDuring(enter(accessToken))).toEqual([]);
    expect(await rowOf(tokens)).toMatchObject({ generation: 2, acknowledged: false });
    wait(61 * SECOND);
    expect(await writesDuring(enter(first.accessToken))).toEqual(SEEN);
    expect(await rowOf(tokens)).toMatchObject({
      generation: 2,
      acknowledged: false,
      lastSeenAt: ctx.clock.date(),
    });
    expect(await writesDuring(enter(second.accessToken))).toEqual(ACKNOWLEDGED);
  });

  it('from the start if it is the one of signing in, so that a first request writes nothing', async () => {
    const { tokens, token } = await register();
    expect(await rowOf(tokens)).toMatchObject({
      generation: 0,
      acknowledged: true,
      rotatedAt: null,
    });
    const crowd = () => Promise.all(Array.from({ length: 20 }, enter(token)));
    for (let i = 0; i < 2; i++) expect(await writesDuring(crowd)).toEqual([]);
    wait(61 * SECOND);
    expect(await writesDuring(crowd)).toEqual(SEEN);
    expect(await writesDuring(crowd)).toEqual([]);
  });

  it('in the one statement that spends it, if it was not before', async () => {
    const { tokens } = await register();
    const rotated = [expect.stringMatching(/^UPDATE `sessions` SET `generation`=/)];
    let { refreshToken } = tokens;
    for (let i = 0; i < 3; i++)
      expect(
        await writesDuring(async () => ({ refreshToken } = (await refresh(refreshToken)).body)),
      ).toEqual(rotated);
    expect(await rowOf(tokens)).toMatchObject({ generation: 3, acknowledged: false });
  });

  it('never by asking for a lost reply again, which writes nothing', async () => {
    const { tokens } = await register();
    await refresh(tokens.refreshToken);
    expect(await writesDuring(() => refresh(tokens.refreshToken))).toEqual([]);
    expect(await rowOf(tokens)).toMatchObject({ generation: 1, acknowledged: false });
  });
});

it('answers all the same when it cannot be written, and writes it when it can', async () => {
  const { body } = await refresh((await register()).tokens.refreshToken);
  const letGo = await hold(databaseUrl, body.session.id);
  const crowd = await Promise.all(
    Array.from({ length: 8 }, () => ask('GET', '/me', { token: body.accessToken })),
  );
  const held = (await rowOf(body)).acknowledged;
  await letGo();
  expect(crowd.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
  expect(held).toBe(false);
  wait(61 * SECOND);
  await enter(body.accessToken)();
  await eventually(async () => expect((await rowOf(body)).acknowledged).toBe(true));
});
