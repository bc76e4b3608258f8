import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { sealAll } from '#src/audit/sealing-worker';
import { cursorAt, readCursor } from '#src/changes/place';
import { lifetimes } from '#src/lifetimes';
import { startApp, testSecret } from '#test/support/app';
import { HANGS } from '#test/support/client';
import { SECOND, wait } from '#test/support/clock';
import { eventually } from '#test/support/eventually';
import { node } from '#test/support/node';
import { startProcess } from '#test/support/process';
import { basicOf } from '#test/support/services';
import { statementsOf } from '#test/support/statements';

const app = await startApp();
const { auth, ask, ctx, env, register, url } = app;
app.startSealing();
const admin = await register({}, 'admin');
const serviceWith = async (name: string, scope: 'changes' | 'introspect') => {
  const { service, secret } = await auth.services.create({ name, scopes: [scope] });
  return { id: service.id, secret };
};
const billing = await serviceWith('billing', 'changes');
const poll = (query: Record<string, string> = {}, by = billing) =>
  ask('GET', `/oauth/changes?${new URLSearchParams(query).toString()}`, { headers: basicOf(by) });
/** A cursor behind everything that has happened. */
const here = async () => {
  await sealAll(ctx);
  return (await poll()).body.cursor as string;
};
interface Told {
  type: string;
  userId?: string;
  sessionId?: string;
  role?: string;
}
const changesAfter = async (after: string): Promise<Told[]> => {
  await sealAll(ctx);
  return (await poll({ after })).body.changes.map(({ at: _at, ...told }: { at: string }) => told);
};
/** Long polls: they may take longer than any other answer. */
const longPoll = async (after: string, signal: AbortSignal | null = null) => {
  const path = `${url}/oauth/changes?after=${after}&wait=25`;
  const answer = await fetch(path, { headers: basicOf(billing), signal });
  const body = (await answer.json()) as { code?: string; changes: Told[] };
  return { status: answer.status, headers: answer.headers, body };
};

afterEach(() => void vi.useRealTimers());

describe('GET /oauth/changes', () => {
  it('answers services with the scope `changes`, and nobody else', async () => {
    const other = await serviceWith('reports', 'introspect');
    expect((await ask('GET', '/oauth/changes')).body.code).toBe('invalid_client');
    const { body } = await admin.ask('GET', '/oauth/changes');
    expect(body.code).toBe('invalid_client');
    expect((await poll({}, { ...billing, secret: other.secret })).status).toBe(401);
    const refused = await poll({}, other);
    expect([refused.status, refused.body.code]).toEqual([403, 'unauthorized_client']);
    expect(refused.body.required).toEqual(['changes']);
  });

  it('begins with a cursor, and says that nothing before it is told', async () => {
    await register();
    const { status, body } = await poll();
    expect(status).toBe(200);
    expect(body).toEqual({
      after: null,
      cursor: expect.any(String),
      reset: true,
      changes: [],
      more: false,
      waitedMs: expect.any(Number),
    });
    const again = await poll({ after: await here() });
    expect(again.body).toMatchObject({ reset: false, changes: [], more: false });
  });

  it('tells what ends sessions and changes what users may do, in its order', async () => {
    const ada = await register({ email: 'ada@example.com', username: 'ada' });
    const [userId, sessionId] = [ada.id, ada.tokens.session.id];
    const after = await here();
    await auth.roles.set('clerk', { permissions: ['invoices:read'] });
    await auth.roles.grant(userId, 'clerk');
    await auth.roles.set('clerk', { permissions: [] });
    await auth.roles.delete('clerk');
    await ada.ask('PATCH', '/me', { body: { name: 'Ada' } });
    await ada.ask('POST', '/auth/logout', { body: {} });
    await auth.users.disable(userId);
    await auth.users.delete(userId);
    expect(await changesAfter(after)).toEqual([
      { type: 'role.changed', role: 'clerk' },
      { type: 'role.granted', userId, role: 'clerk' },
      { type: 'role.changed', role: 'clerk' },
      { type: 'role.deleted', role: 'clerk' },
      { type: 'user.updated', userId },
      { type: 'session.ended', userId, sessionId },
      { type: 'user.disabled', userId },
      { type: 'user.deleted', userId },
    ]);
  });

  it('tells of the session of whoever did it only if it is about that session', async () => {
    const ada = await register();
    const after = await here();
    await admin.ask('PUT', `/admin/users/${ada.id}/roles/moderator`);
    expect(await changesAfter(after)).toEqual([
      { type: 'role.granted', userId: ada.id, role: 'moderator' },
    ]);
  });

  it('goes on where a cursor stands, as often as it is asked', async () => {
    const after = await here();
    const ada = await register();
    await auth.users.disable(ada.id);
    const first = await changesAfter(after);
    expect(first.map(({ type }) => type)).toEqual(['session.ended', 'user.disabled']);
    expect(await changesAfter(after)).toEqual(first);
    expect(await changesAfter(await here())).toEqual([]);
  });

  it('tells much in several answers', async () => {
    const after = await here();
    const { id: userId } = await register();
    await ctx.db.transaction(async () => {
      for (let i = 0; i < 1100; i++) ctx.events.emit('user.updated', { userId });
    });
    await sealAll(ctx);
    const found: Told[] = [];
    let cursor = after;
    for (let more = true; more;) {
      const { body } = await poll({ after: cursor });
      ({ cursor, more } = body);
      found.push(...body.changes);
    }
    expect(found).toHaveLength(1100);
  });
});

describe('a cursor', () => {
  const place = async () => readCursor(ctx, await here());
  const refused = async (after: string) => {
    const { status, body } = await poll({ after });
    expect([status, body.code, body.errors[0].pointer]).toEqual([400, 'invalid_request', '/after']);
  };

  it('that was forged is refused (Q-03)', async () => {
    const cursor = await here();
    const bytes = Buffer.from(cursor, 'base64url');
    bytes[bytes.length - 3]! ^= 1;
    await refused(bytes.toString('base64url'));
    await refused(Buffer.from(bytes.subarray(16)).toString('base64url'));
    await refused('0');
    await refused("' OR 1=1");
    await refused('x'.repeat(2000));
  });

  it('of another list, or of a server with another secret, is refused (Q-03)', async () => {
    const users = await admin.ask('GET', '/admin/users?limit=1');
    await refused(users.body.nextCursor as string);
    const foreign = await startApp({ APP_SECRET: testSecret() });
    await refused(cursorAt(foreign.ctx, await place()));
  });

  it('of the future, or of another database under the same secret, begins anew (Q-03)', async () => {
    const { seq, hash } = await place();
    const others = [
      { seq: seq + 1000, hash },
      { seq, hash: 'another'.padEnd(43, 'x') },
      { seq: seq - 1, hash },
      { seq: 0, hash: 'x' },
    ];
    for (const other of others) {
      const { status, body } = await poll({ after: cursorAt(ctx, other) });
      expect([status, body.reset, body.changes]).toEqual([200, true, []]);
      expect((await poll({ after: body.cursor })).body.reset).toBe(false);
    }
  });

  it('that is older than every access token begins anew (Q-03)', async () => {
    const [old, young] = [await here(), await here()];
    const longest = Math.max(ctx.settings.longestTokenSeconds, lifetimes.impersonationSeconds);
    wait((longest - 60) * SECOND);
    expect((await poll({ after: young })).body.reset).toBe(false);
    wait(61 * SECOND);
    expect((await poll({ after: old })).body.reset).toBe(true);
  });

  it('outlives the removal of old entries of the trail', async () => {
    const cursor = await here();
    await ctx.db.AuditChain.update(
      { baseSeq: readCursor(ctx, cursor).seq, baseHash: readCursor(ctx, cursor).hash },
      { where: { id: 1 } },
    );
    const ada = await register();
    await auth.users.disable(ada.id);
    await sealAll(ctx);
    await ctx.db.AuditEntry.destroy({ where: { seq: readCursor(ctx, cursor).seq } });
    const { body } = await poll({ after: cursor });
    expect([body.reset, body.changes.length]).toEqual([false, 2]);
  });
});

describe('a long poll', () => {
  it('is answered when something changes, and tells how long it looked', async () => {
    const ada = await register();
    const polling = longPoll(await here());
    await ada.ask('POST', '/auth/logout', { body: {} });
    const { status, body } = await polling;
    expect([status, body.changes.map(({ type }) => type)]).toEqual([200, ['session.ended']]);
  });

  it('is answered with nothing at its end, as of its end', async () => {
    const { body } = await poll({ after: await here(), wait: '1' });
    expect(body).toMatchObject({ reset: false, changes: [], more: false });
    expect(body.waitedMs).toBeGreaterThan(900);
    expect(body.waitedMs).toBeLessThan(HANGS);
    for (const wrong of ['26', '-1', '1.5', 'x', '']) {
      const refused = await poll({ wait: wrong });
      expect([refused.status, refused.body.errors[0].pointer]).toEqual([400, '/wait']);
    }
  });

  it('hears what another node did', async () => {
    const ada = await register();
    const there = await node(env);
    const polling = longPoll(await here());
    await there.ctx.db.transaction(async () => {
      there.ctx.events.emit('user.disabled', { userId: ada.id });
    });
    await sealAll(there.ctx);
    expect((await polling).body.changes[0]).toMatchObject({ userId: ada.id });
  });

  it('goes over what concerns no other service', async () => {
    const after = await here();
    const polling = longPoll(after);
    for (let i = 0; i < 3; i++) {
      await register();
      await sealAll(ctx);
    }
    const ada = await register();
    await auth.users.disable(ada.id);
    const { body } = await polling;
    expect(body.changes[0]).toMatchObject({ type: 'session.ended', userId: ada.id });
  });

  /** So many requests of a service that wait, as the route lets them. */
  async function waiting(count: number, service: string, until = new AbortController()) {
    const place = readCursor(ctx, await here());
    const steps = Array.from({ length: count }, () =>
      ctx.changes.next(place, { service, until: until.signal }),
    );
    return { steps, end: () => until.abort() };
  }

  it('of one service waits with 49 others at most (Q-03)', async () => {
    const after = await here();
    const { end } = await waiting(50, billing.id);
    const { status, body, headers } = await poll({ after, wait: '25' });
    expect([status, body.code]).toEqual([429, 'rate_limited']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await poll({ after })).status).toBe(200);
    end();
    expect((await poll({ after, wait: '1' })).status).toBe(200);
  });

  it('waits with 499 others at most, of any services (Q-03)', async () => {
    const after = await here();
    const all = await Promise.all(
      Array.from({ length: 10 }, (_, i) => waiting(50, `another ${i}`)),
    );
    const { status, body } = await poll({ after, wait: '25' });
    expect([status, body.code]).toEqual([503, 'unavailable']);
    for (const { end } of all) end();
    expect((await poll({ after, wait: '1' })).status).toBe(200);
  });

  it('costs the database the same, however many wait', async () => {
    const ada = await register();
    const { steps } = await waiting(50, billing.id);
    const asked = statementsOf(ctx.db.sequelize, (sql) => /`type` IN/.test(sql));
    await auth.users.disable(ada.id);
    await sealAll(ctx);
    for (const { rows } of await Promise.all(steps)) expect(rows.length).toBeGreaterThan(0);
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.length).toBeLessThan(10);
  });

  it('that nobody waits for any more leaves its place', async () => {
    const { end } = await waiting(49, billing.id);
    const leaving = new AbortController();
    // What is sealed late by the tests before ends a poll: it is then repeated.
    const polling = (async () => {
      while (!leaving.signal.aborted)
        await longPoll(await here(), leaving.signal).catch(() => undefined);
    })();
    const status = async () => (await poll({ after: await here(), wait: '1' })).status;
    await eventually(async () => expect(await status()).toBe(429));
    leaving.abort();
    await polling;
    await eventually(async () => expect(await status()).toBe(200));
    end();
  });

  it('ends when its server stops', async () => {
    const server = await startProcess(env);
    const { cursor } = (await (
      await fetch(`${server.url}/oauth/changes`, { headers: basicOf(billing) })
    ).json()) as { cursor: string };
    const polling = fetch(`${server.url}/oauth/changes?after=${cursor}&wait=25`, {
      headers: basicOf(billing),
    });
    await sleep(300); // time in which it begins to wait
    const ended = server.kill('SIGTERM');
    expect(((await (await polling).json()) as { changes: [] }).changes).toEqual([]);
    expect((await ended).code).toBe(0);
  });
});
