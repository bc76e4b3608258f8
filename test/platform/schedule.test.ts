import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { every } from '#src/platform/schedule';
import { purgeSessions } from '#src/sessions/purge';
import { startApp } from '#test/support/app';
import { eventually } from '#test/support/eventually';
import { statementsOf } from '#test/support/statements';

/** The tasks of the server, with their seconds. The tests say when it is time for them. */
const turns: { seconds: number; turn: () => void; stopped: boolean }[] = [];
const real = { set: globalThis.setInterval, clear: globalThis.clearInterval };
/** Node has timers of its own. Those of 30 s or more are ours. */
const collect = ((turn: () => void, ms: number) => {
  if (ms < 30_000) return real.set(turn, ms);
  const entry = { seconds: ms / 1000, turn, stopped: false, unref: () => entry };
  turns.push(entry);
  return entry;
}) as unknown as typeof setInterval;
const forget = ((timer: unknown) => {
  const entry = turns.find((each) => each === timer);
  if (entry) entry.stopped = true;
  else real.clear(timer as NodeJS.Timeout);
}) as typeof clearInterval;

globalThis.setInterval = collect;
const { ctx, register, ask, Limit, Session, SigningKey } = await startApp();
globalThis.setInterval = real.set;

const DAY = 86_400_000;
const start = Math.floor(Date.now() / 1000) * 1000;
/** The time from now on, by the clock of the server: that of the database. */
function at(ms: number): void {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(Date.now() + start + ms - ctx.clock.now());
}
afterEach(() => {
  vi.useRealTimers();
});
const tasks = [...turns];
const dueEvery = (seconds: number) => tasks.find((task) => task.seconds === seconds)!;

/** Sessions of one user that ended or expired so many milliseconds ago. */
async function sessions(userId: string, rows: { ended?: number; expired?: number }[]) {
  const ago = (ms: number) => new Date(start - ms);
  const made = rows.map(({ ended, expired = ended ?? -DAY }) => ({
    id: crypto.randomUUID(),
    userId,
    strategy: 'local',
    expiresAt: ago(expired),
    endedAt: ended === undefined ? null : ago(ended),
  }));
  await Session.bulkCreate(made);
  return made.map(({ id }) => id);
}
const left = async (ids: string[]) => {
  const found = new Set(
    (await Session.findAll({ attributes: ['id'], where: { id: ids } })).map(({ id }) => id),
  );
  return ids.map((id) => found.has(id));
};

describe('purgeSessions', () => {
  it('forgets what ended or expired more than 30 days ago, and nothing else', async () => {
    const ada = await register();
    const ids = await sessions(ada.id, [
      { ended: 30 * DAY + 1 },
      { expired: 30 * DAY + 1 },
      { ended: 400 * DAY, expired: 400 * DAY },
      { ended: 30 * DAY },
      { expired: 30 * DAY },
      { ended: 1 },
      { expired: 1 },
      { expired: -1 },
      {},
    ]);
    at(0);
    await purgeSessions(ctx);
    expect(await left(ids)).toEqual([false, false, false, true, true, true, true, true, true]);
    expect((await ada.ask('GET', '/me')).status).toBe(200);
  });

  it('leaves the tokens of what is forgotten refused', async () => {
    const ada = await register();
    expect((await ask('POST', '/auth/logout', { token: ada.token })).status).toBe(204);
    at(31 * DAY);
    await purgeSessions(ctx);
    expect(await Session.findByPk(ada.tokens.session.id)).toBeNull();
    const { refreshToken } = ada.tokens;
    vi.useRealTimers();
    expect((await ada.ask('GET', '/me')).body.code).toBe('session_ended');
    expect((await ask('POST', '/auth/refresh', { body: { refreshToken } })).body).toMatchObject({
      reason: 'revoked',
      sessionStatus: 'ended',
    });
    expect(
      (await ask('POST', '/auth/logout', { body: { refreshToken, scope: 'all' } })).status,
    ).toBe(204);
  });

  it('is small steps, so that requests get their turn between them', async () => {
    const ada = await register();
    const ids = await sessions(ada.id, [
      ...Array.from({ length: 201 }, () => ({ ended: 31 * DAY })),
      ...Array.from({ length: 100 }, () => ({ expired: 31 * DAY })),
      {},
    ]);
    const deletes = statementsOf(Session.sequelize, (sql) => /DELETE FROM/.test(sql));
    let isPurged = false;
    const purging = purgeSessions(ctx).then(() => (isPurged = true));
    await eventually(() => expect(deletes.length).toBeGreaterThan(0), 0);
    await sessions(ada.id, [{}]); // a write that comes between
    expect(isPurged).toBe(false);
    await purging;
    expect(deletes).toHaveLength(4); // 100, 100, 100, 1
    for (const sql of deletes) expect(sql).toMatch(/LIMIT 100\b/);
    expect(await left(ids.slice(-1))).toEqual([true]);
    expect(await Session.count({ where: { userId: ada.id } })).toBe(3);
  });

  it('goes no further when the server stops', async () => {
    const ada = await register();
    await sessions(
      ada.id,
      Array.from({ length: 250 }, () => ({ ended: 31 * DAY })),
    );
    const stopping = new AbortController();
    const deletes = statementsOf(Session.sequelize, (sql) => /DELETE FROM/.test(sql));
    const purging = purgeSessions(ctx, stopping.signal);
    stopping.abort();
    await purging;
    expect(deletes).toHaveLength(1);
    await purgeSessions(ctx);
  });
});

describe('a server', () => {
  it('has nothing else to do of its own accord but to look at the clock of the database, every hour', () => {
    expect(tasks.map(({ seconds }) => seconds).sort((a, b) => a - b)).toEqual([30, 600, 3600]);
  });

  it('purges sessions every ten minutes', async () => {
    const [id] = await sessions((await register()).id, [{ ended: 31 * DAY }]);
    dueEvery(600).turn();
    await eventually(async () => expect(await left([id!])).toEqual([false]));
  });

  it('forgets every ten minutes what is limited no more, and nothing else', async () => {
    const counter = (resetsAt: number) => ({
      id: String(resetsAt).padStart(32, '0'),
      hits: 1,
      opensAt: 0,
      resetsAt,
    });
    await Limit.bulkCreate([-DAY, -1, 60_000].map((ms) => counter(start + ms)));
    at(0);
    dueEvery(600).turn();
    await eventually(async () =>
      expect((await Limit.findAll()).map(({ resetsAt }) => resetsAt)).toEqual([start + 60_000]),
    );
  });

  it('looks after its keys every half minute', async () => {
    const before = await SigningKey.count();
    at(31 * DAY);
    dueEvery(30).turn();
    await eventually(async () => expect(await SigningKey.count()).toBe(before + 1));
  });
});

describe('every', () => {
  beforeEach(() => {
    turns.length = 0;
    globalThis.setInterval = collect;
    globalThis.clearInterval = forget;
    return () => Object.assign(globalThis, { setInterval: real.set, clearInterval: real.clear });
  });
  /** Work that is done when the test says so. */
  const begin = () => {
    const under: { done: () => void; fail: (error: unknown) => void; stopped: AbortSignal }[] = [];
    const stop = every(
      ctx,
      60,
      'a task of the test',
      (stopped) => new Promise<void>((done, fail) => under.push({ done, fail, stopped })),
    );
    return { under, stop, timer: turns[0]! };
  };
  const settled = () => new Promise((resolve) => void setImmediate(resolve));

  it('asks for so many seconds, and begins when they are over', () => {
    const { under, timer } = begin();
    expect(timer.seconds).toBe(60);
    expect(under).toHaveLength(0);
    timer.turn();
    expect(under).toHaveLength(1);
  });

  it('does one at a time', async () => {
    const { under, timer } = begin();
    for (let i = 0; i < 5; i++) timer.turn();
    await settled();
    expect(under).toHaveLength(1);
    under[0]!.done();
    await settled();
    expect(under).toHaveLength(1);
    for (let i = 0; i < 5; i++) timer.turn();
    expect(under).toHaveLength(2);
  });

  it.each(['rejects', 'throws at once'])(
    'logs work that %s, and tries it again at the next turn',
    async (how) => {
      const warned = vi.spyOn(ctx.log, 'warn');
      const failure = new Error('not now');
      let tried = 0;
      every(ctx, 60, 'fragile', () => {
        tried++;
        if (how === 'throws at once') throw failure;
        return Promise.reject(failure);
      });
      for (let i = 1; i <= 3; i++) {
        turns[0]!.turn();
        await settled();
        expect(tried).toBe(i);
      }
      expect(warned).toHaveBeenCalledTimes(3);
      expect(warned).toHaveBeenCalledWith({ err: failure, task: 'fragile' }, expect.any(String));
      warned.mockRestore();
    },
  );

  it('waits for work under way when it is stopped, and begins none', async () => {
    const { under, stop, timer } = begin();
    timer.turn();
    let stopped = false;
    expect(under[0]!.stopped.aborted).toBe(false);
    const over = stop().then(() => (stopped = true));
    expect([timer.stopped, under[0]!.stopped.aborted]).toEqual([true, true]);
    await settled();
    expect(stopped).toBe(false);
    under[0]!.done();
    await over;
    expect(under).toHaveLength(1);
  });

  it('stops at once when nothing is under way, or when what is fails', async () => {
    const idle = begin();
    await idle.stop();
    expect(idle.timer.stopped).toBe(true);
    turns.length = 0;
    const busy = begin();
    busy.timer.turn();
    const over = busy.stop();
    busy.under[0]!.fail(new Error('not now'));
    await over;
  });
});
