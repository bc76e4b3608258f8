import { afterAll, describe, expect, it } from 'vitest';
import { password, startApp, testSecret } from '#test/support/app';
import { emptyDatabase, engine } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import { rowsOf, settingsFor, startProcess } from '#test/support/process';
import { rounds } from '#test/support/rounds';

const { ask, databaseUrl, env, register, Session } = await startApp();
const here = { ask };
/** Another node: a process of its own over the same database. */
const sameSecret = settingsFor(databaseUrl, { APP_SECRET: env.APP_SECRET });
const there = await startProcess(sameSecret);
afterAll(async () => void (await there.kill()));
type Node = Pick<typeof there, 'ask'>;

interface Tokens {
  accessToken: string;
  refreshToken: string;
  session: { id: string };
}
const presentToken = ({ ask }: Node, refreshToken: string) =>
  ask('POST', '/auth/refresh', { body: { refreshToken } });
const refresh = async (node: Node, refreshToken: string): Promise<Tokens> => {
  const { status, body, text } = await presentToken(node, refreshToken);
  expect(status, text).toBe(200);
  return body;
};
const enter = async ({ ask }: Node, token: string) =>
  expect((await ask('GET', '/me', { token })).status).toBe(200);
const rowOf = async ({ session }: Pick<Tokens, 'session'>) => (await Session.findByPk(session.id))!;

it('a theft that both nodes see at once is one, and binds on both at once', async () => {
  for (let round = 0; round < rounds(2, 100); round++) {
    const { tokens } = await register();
    const newest = await refresh(there, (await refresh(here, tokens.refreshToken)).refreshToken);
    for (const node of [here, there]) await enter(node, newest.accessToken);
    const answers = await Promise.all(
      [here, there, here, there, here, there].map((node) =>
        presentToken(node, tokens.refreshToken),
      ),
    );
    for (const { status, body } of answers) {
      expect([status, body.sessionStatus]).toEqual([400, 'ended']);
      expect(['reused', 'revoked']).toContain(body.reason);
    }
    for (const { ask } of [here, there]) {
      expect((await ask('GET', '/me', { token: newest.accessToken })).status).toBe(401);
      expect((await presentToken({ ask }, newest.refreshToken)).body.reason).toBe('revoked');
    }
  }
});

it('who refreshes while the session is ended elsewhere gets tokens that are dead, or none', async () => {
  for (let round = 0; round < rounds(2, 200); round++) {
    const { tokens, token } = await register();
    const [{ status, body }] = await Promise.all([
      presentToken(there, tokens.refreshToken),
      ask('POST', '/auth/logout', { token, body: {} }),
    ]);
    if (status !== 200) expect([status, body.reason]).toEqual([400, 'revoked']);
    else
      expect((await there.ask('GET', '/me', { token: body.accessToken })).body.code).toBe(
        'session_ended',
      );
    expect((await rowOf(tokens)).endedAt).not.toBeNull();
  }
});

it.skipIf(engine === 'sqlite')(
  'nodes whose clocks differ by a minute see no thief in a second tab',
  async () => {
    const seam = (ms: number) =>
      `data:text/javascript,${encodeURIComponent(`const D = Date; globalThis.Date = class extends D {
      constructor(...a) { a.length ? super(...a) : super(D.now() + ${ms}); } static now() { return D.now() + ${ms}; } };`)}`;
    const [ahead, behind] = await Promise.all(
      [60_000, -60_000].map((ms) => startProcess(sameSecret, { node: ['--import', seam(ms)] })),
    );
    for (const [first, second] of [
      [ahead!, behind!],
      [behind!, ahead!],
    ] as const) {
      const { tokens } = await register();
      const { accessToken, refreshToken } = await refresh(first, tokens.refreshToken);
      await enter(second, accessToken);
      await eventually(async () => expect((await rowOf(tokens)).acknowledged).toBe(true));
      for (const node of [second, here, first])
        expect((await refresh(node, tokens.refreshToken)).refreshToken).toBe(refreshToken);
    }
  },
);

describe('a database that was put back to an earlier state', () => {
  it.each([1, 3])('by %i generations: the holder of the newest token goes on', async (lost) => {
    const { tokens } = await register();
    const all: Tokens[] = [tokens];
    while (all.length < 6) all.push(await refresh(here, all.at(-1)!.refreshToken));
    const newest = all.at(-1)!;
    const { id } = tokens.session;
    await Session.update(
      { generation: 5 - lost, acknowledged: true, rotatedAt: new Date(Date.now() - 60_000) },
      { where: { id } },
    );
    await enter(there, newest.accessToken);
    expect((await rowOf(tokens)).generation).toBe(5 - lost);
    const { refreshToken } = await refresh(there, newest.refreshToken);
    expect((await rowOf(tokens)).generation).toBe(6);
    expect((await refresh(here, newest.refreshToken)).refreshToken).toBe(refreshToken);
    const next = await refresh(here, refreshToken);
    await enter(there, next.accessToken);
    expect((await rowOf(tokens)).generation).toBe(7);
    expect((await presentToken(here, newest.refreshToken)).body.reason).toBe('reused');
  });
});

describe('APP_SECRET', () => {
  const members = async ({ ask }: Node, ...names: string[]) => {
    const answers = await Promise.all(
      names.map((username) => ask('POST', '/auth/register', { body: { username, password } })),
    );
    for (const { status, text } of answers) expect(status, text).toBe(201);
    return answers.map(({ body }) => body as Tokens);
  };
  const keyOf = ({ refreshToken }: Tokens) => refreshToken.slice(4, 10);
  const UNKNOWN = {
    status: 400,
    body: { code: 'invalid_grant', reason: 'unknown', sessionStatus: 'unknown' },
  };

  it('changes while the server runs on: nobody is signed out, and in the end the former one is good for nothing', async () => {
    const databaseUrl = await emptyDatabase();
    const [former, next] = [testSecret(), testSecret()];
    const settings = (APP_SECRET: string, APP_SECRET_PREVIOUS?: string) =>
      startProcess(settingsFor(databaseUrl, { APP_SECRET, APP_SECRET_PREVIOUS }));
    const begun = await settings(former, next);
    const ended = await settings(next, former);
    const [ada, bob, eve, joe] = (await members(begun, 'ada', 'bob', 'eve', 'joe')) as [
      Tokens,
      Tokens,
      Tokens,
      Tokens,
    ];

    let held = ada;
    for (const node of [ended, begun, begun, ended, begun, ended]) {
      const renewed = await refresh(node, held.refreshToken);
      expect(keyOf(renewed) === keyOf(ada)).toBe(node === begun);
      for (const { ask } of [begun, ended]) await enter({ ask }, renewed.accessToken);
      held = renewed;
    }
    const lost = await refresh(begun, bob.refreshToken);
    const again = await refresh(ended, bob.refreshToken);
    expect(keyOf(again)).not.toBe(keyOf(lost));
    expect(
      await rowsOf(databaseUrl, `SELECT generation FROM sessions WHERE id = '${bob.session.id}'`),
    ).toEqual([{ generation: 1 }]);
    const both = await Promise.all(
      [begun, ended, begun, ended].map((node) => refresh(node, eve.refreshToken)),
    );
    expect(new Set(both.map(({ refreshToken }) => refreshToken)).size).toBe(2);
    expect((await presentToken(ended, ada.refreshToken)).body).toMatchObject({
      reason: 'reused',
      sessionStatus: 'ended',
    });

    await Promise.all([begun.kill(), ended.kill()]);
    const later = await settings(next);
    await enter(later, again.accessToken);
    expect(await presentToken(later, lost.refreshToken)).toMatchObject(UNKNOWN);
    expect(await presentToken(later, joe.refreshToken)).toMatchObject(UNKNOWN);
    const renewed = await refresh(later, again.refreshToken);
    expect(keyOf(renewed)).toBe(keyOf(again));
    expect(await presentToken(later, held.refreshToken)).toMatchObject({
      body: { reason: 'revoked' },
    });
    expect(await presentToken(there, again.refreshToken)).toMatchObject(UNKNOWN);
  });
});
