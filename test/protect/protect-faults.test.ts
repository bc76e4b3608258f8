import { setTimeout as sleep } from 'node:timers/promises';
import { expect, describe, it } from 'vitest';
import { startApp } from '#test/support/app';
import { type Fault, type Forwarded } from '#test/support/auth-proxy';
import { eventually } from '#test/support/eventually';
import { secondService } from '#test/support/second-service';

const app = await startApp();
const { auth, ask, register } = app;
app.startSealing();
await auth.roles.set('editor', { permissions: ['news:write'] });

const FEED = '/oauth/changes';
const INTROSPECT = '/oauth/introspect';
const cut: Fault = async () => undefined;
const never: Fault = () => new Promise(() => {});

/** A service that knows the session of a user, while nothing is wrong yet. */
async function known(options: Parameters<typeof secondService>[1] = {}, ...roles: string[]) {
  const service = await secondService(app, { pollSeconds: 1, ...options });
  const me = await register({}, ...roles);
  expect((await service.ask('/who', me.token)).status).toBe(200);
  const signOut = () => ask('POST', '/auth/logout', { token: me.token, body: {} });
  return { service, me, signOut };
}
type Known = Awaited<ReturnType<typeof known>>;

/** Waits until a request is refused so, and holds that it is never again let in afterwards. */
async function closes({ service, me }: Known, refused: number) {
  const { status, headers, body } = await eventually(async () => {
    const answer = await service.ask('/who', me.token);
    expect(answer.status).toBe(refused);
    return answer;
  });
  for (let i = 0; i < 10; i++) {
    const later = await service.ask('/who', me.token);
    expect(later.status).not.toBe(200);
    await sleep(20);
  }
  return { status, headers, body };
}

describe('with the feed', () => {
  it.each<[name: string, make: () => Fault]>([
    ['cut off', () => cut],
    ['silent', () => never],
    [
      'late by more than it may be',
      () => async (forward) => {
        const answer = await forward();
        await sleep(5000);
        return answer;
      },
    ],
    [
      'answered by a copy of an old answer',
      () => {
        let old: Promise<Forwarded> | undefined;
        return (forward) => (old ??= forward());
      },
    ],
    [
      'answered by an error',
      () => async () => ({ status: 500, headers: {}, body: 'out of order' }),
    ],
    ['answered by what is no answer', () => async () => ({ status: 200, headers: {}, body: '{}' })],
    [
      'told that it is refused',
      () => async () => ({ status: 401, headers: {}, body: '{"code":"invalid_client"}' }),
    ],
  ])('%s, a sign-out binds all the same (Q-04)', async (_name, make) => {
    const all = await known();
    let met = 0;
    const fault = make();
    all.service.proxy.fault(FEED, (forward) => {
      met++;
      return fault(forward);
    });
    // What was asked before is answered, and could tell.
    await eventually(() => expect(met).toBeGreaterThan(1));
    await all.signOut();
    const { body } = await closes(all, 401);
    expect(body.code).toBe('session_ended');
    expect(all.service.warnings).toEqual([expect.stringContaining('does not tell what changes')]);
  });

  it('cut off, roles and disabled users bind all the same, and everybody else goes on (Q-04)', async () => {
    const { service, me, signOut } = await known({}, 'editor');
    const other = await register();
    service.proxy.fault(FEED, cut);
    await auth.roles.revoke(me.id, 'editor');
    await eventually(async () => {
      expect((await service.ask('/desk', me.token)).status).toBe(403);
    });
    await auth.users.disable(me.id);
    await closes({ service, me, signOut }, 401);
    expect((await service.ask('/who', other.token)).status).toBe(200);
    service.proxy.fault(FEED, undefined);
    await eventually(async () => {
      const before = service.proxy.count(INTROSPECT);
      for (let i = 0; i < 3; i++) expect((await service.ask('/who', other.token)).status).toBe(200);
      expect(service.proxy.count(INTROSPECT)).toBe(before);
      expect(service.warnings.at(-1)).toContain('tells again');
    });
  });

  it.each<[name: string, make: () => Fault]>([
    [
      'that tells everything twice',
      () => async (forward) => {
        await forward();
        return forward();
      },
    ],
    [
      'that tells in reverse',
      () => async (forward) => {
        const answer = await forward();
        const { changes, ...rest } = JSON.parse(answer.body) as { changes: object[] };
        return { ...answer, body: JSON.stringify({ ...rest, changes: changes.toReversed() }) };
      },
    ],
    [
      'that begins anew all the time',
      () => async (forward) => {
        const answer = await forward();
        return { ...answer, body: answer.body.replace('"reset":false', '"reset":true') };
      },
    ],
    [
      'that forgets every cursor',
      () => {
        let asked = 0;
        return async (forward) =>
          ++asked % 3 === 0 ? { status: 400, headers: {}, body: '{}' } : forward();
      },
    ],
  ])('%s, a sign-out binds, and nobody else is shut out (Q-04)', async (_name, make) => {
    const all = await known();
    const other = await register();
    all.service.proxy.fault(FEED, make());
    await all.signOut();
    await closes(all, 401);
    expect((await all.service.ask('/who', other.token)).status).toBe(200);
  });
});

describe('with the auth server away', () => {
  it.each<[name: string, fault: Fault]>([
    ['resets', cut],
    ['silence', never],
  ])('(%s) is closed with 503, and open again when that is back (Q-04)', async (_name, fault) => {
    const all = await known();
    all.service.proxy.fault('*', fault);
    await all.signOut();
    const { headers, body } = await closes(all, 503);
    expect([body.code, body.action]).toEqual(['unavailable', 'wait']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    const other = await register();
    expect((await all.service.ask('/who', other.token)).status).toBe(503);
    all.service.proxy.fault('*', undefined);
    await eventually(async () => {
      expect((await all.service.ask('/who', other.token)).status).toBe(200);
      expect((await all.service.ask('/who', all.me.token)).status).toBe(401);
    });
  });

  it('goes on for graceSeconds with whom it knows, says so, and then is closed (Q-04)', async () => {
    const all = await known({ graceSeconds: 15 });
    const { service, me } = all;
    const other = await register();
    service.proxy.fault('*', cut);
    await eventually(async () => {
      const { status, body } = await service.ask('/who', me.token);
      expect([status, body.stale]).toEqual([200, true]);
    });
    expect((await service.ask('/who', other.token)).status).toBe(503);
    expect(service.warnings).toHaveLength(1);
    await all.signOut();
    await closes(all, 503);
    service.proxy.fault('*', undefined);
    await closes(all, 401);
  });

  it('from the start, nobody is let in, and everybody when it comes', async () => {
    const service = await secondService(app);
    const { token } = await register();
    service.proxy.fault('*', cut);
    expect((await service.ask('/who', token)).status).toBe(503);
    service.proxy.fault('*', undefined);
    await eventually(async () => {
      expect((await service.ask('/who', token)).status).toBe(200);
    });
  });

  it('after close, nobody is let in', async () => {
    const { service, me } = await known();
    await service.close();
    expect((await service.ask('/who', me.token)).status).toBe(503);
  });
});

it('what was said of a session before it ended is not kept over its end (Q-04)', async () => {
  const { service, me } = await known();
  const other = (await app.logIn(me.username)).body;
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let isHeld = false;
  service.proxy.fault(INTROSPECT, async (forward) => {
    const answer = await forward();
    if (isHeld) return answer;
    isHeld = true;
    await released;
    return answer;
  });
  const asking = service.ask('/who', other.accessToken as string);
  await eventually(() => expect(isHeld).toBe(true));
  await ask('POST', '/auth/logout', { token: other.accessToken, body: {} });
  // The service has heard of the sign-out when it has heard of what happened after it.
  await ask('POST', '/auth/logout', { token: me.token, body: {} });
  await eventually(async () => {
    expect((await service.ask('/who', me.token)).status).toBe(401);
  });
  release();
  expect((await asking).status).toBe(401);
  expect((await service.ask('/who', other.accessToken as string)).status).toBe(401);
});

it('an introspection of somebody else, or of nothing, lets nobody in', async () => {
  const { me, service: other } = await known();
  const genuine = JSON.parse(
    await new Promise<string>((resolve) => {
      other.proxy.fault(INTROSPECT, async (forward) => {
        const answer = await forward();
        resolve(answer.body);
        return answer;
      });
      void register().then(({ token }) => other.ask('/who', token));
    }),
  ) as object;
  for (const said of [genuine, {}, [], null, { active: 'true' }, { active: true }, 'yes']) {
    const service = await secondService(app);
    const body = JSON.stringify(said);
    service.proxy.fault(INTROSPECT, async () => ({ status: 200, headers: {}, body }));
    expect((await service.ask('/who', me.token)).status, body).toBe(503);
  }
});
