import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { password } from '#test/support/app';
import { blocks, examples, guide } from '#test/support/clients/examples';
import {
  halved,
  heldUntil,
  lost,
  mute,
  pass,
  refused,
  type Fate,
} from '#test/support/clients/gate';
import { expire, LOGOUT, ME, outcome, REFRESH, startHarness } from '#test/support/clients/harness';
import { eventually } from '#test/support/eventually';
import { root, settingsFor, startProcess } from '#test/support/process';
import { rounds } from '#test/support/rounds';

const { auth, ask, databaseUrl, env, gate, generationOf, logIn, problem, register, signedIn, url } =
  await startHarness();

describe.each(examples)('%s', (_name, create) => {
  describe('stays signed in:', () => {
    it('signs in, and stores what the answer brings', async () => {
      const { client, storage, user } = await signedIn(create);
      await storage.clear();
      const device = { kind: 'mobile', name: 'Ada’s phone', platform: 'iOS' };
      const { status, body } = await client.login({ identifier: user.username, password, device });
      expect([status, storage.held()]).toEqual([200, body]);
      expect(body.refreshExpiresIn).toBe(60 * 24 * 3600);
      expect((await client.request('GET', '/me/sessions')).body.data[0]).toMatchObject({
        device,
        current: true,
      });
    });

    it('refreshes once for twenty requests at once', async () => {
      const { client, sessionId } = await signedIn(create);
      expire();
      const replies = await Promise.all(
        Array.from({ length: 20 }, () => client.request('GET', '/me')),
      );
      expect(replies.map(({ status }) => status)).toEqual(Array(20).fill(200));
      expect([gate.count(REFRESH), await generationOf(sessionId)]).toEqual([1, 1]);
    });

    it('does not refresh for a refusal that comes late', async () => {
      const { client } = await signedIn(create);
      expire();
      const { promise, resolve } = Promise.withResolvers<void>();
      gate.next(ME, heldUntil(promise));
      const late = client.request('GET', '/me');
      await eventually(() => expect(gate.count(ME)).toBe(1));
      expect((await client.request('GET', '/me')).status).toBe(200);
      resolve();
      expect((await late).status).toBe(200);
      expect(gate.count(REFRESH)).toBe(1);
    });

    it('stores the new tokens before it uses them', async () => {
      const { client, storage } = await signedIn(create);
      expire();
      const stored: unknown[] = [];
      gate.next(ME, pass, (visit) => {
        stored.push(storage.held()!.accessToken);
        return pass(visit);
      });
      expect((await client.request('GET', '/me')).status).toBe(200);
      expect(stored).toEqual([gate.seen.at(-1)!.token]);
    });

    it.each<[what: string, fate: Fate, pause: number]>([
      ['a refresh that never arrives', refused, 1],
      ['a reply that is lost', lost, 1],
      ['a reply that breaks off', halved, 1],
      ['a 503, as long as Retry-After says', problem('unavailable'), 2],
    ])('asks again with the same token after %s', async (_what, fate, pause) => {
      const { client, pauses, sessionId } = await signedIn(create);
      expire();
      gate.next(REFRESH, fate);
      expect((await client.request('GET', '/me')).status).toBe(200);
      expect([gate.count(REFRESH), await generationOf(sessionId), pauses]).toEqual([2, 1, [pause]]);
    });

    it('goes on in an app that was closed when every reply was lost', async () => {
      const { client, options, sessionId } = await signedIn(create);
      expire();
      gate.all(REFRESH, lost);
      await expect(client.request('GET', '/me')).rejects.toThrow('Cannot refresh');
      gate.forget();
      expect((await create(options).request('GET', '/me')).status).toBe(200);
      expect(await generationOf(sessionId)).toBe(1);
    });

    it('goes on when the tokens could not be stored for once', async () => {
      const { client, storage, sessionId } = await signedIn(create);
      expire();
      vi.spyOn(storage, 'set').mockRejectedValueOnce(new Error('The keychain is locked'));
      await expect(client.request('GET', '/me')).rejects.toThrow('The keychain is locked');
      expect((await client.request('GET', '/me')).status).toBe(200);
      expect(await generationOf(sessionId)).toBe(1);
    });

    it('goes on with two of them over one store', async () => {
      const { client, options, sessionId } = await signedIn(create);
      const other = create(options);
      for (let generation = 1; generation <= rounds(2, 50); generation++) {
        expire();
        const replies = await Promise.all(
          [client, other].map((each) => each.request('GET', '/me')),
        );
        expect(replies.map(({ status }) => status)).toEqual([200, 200]);
        expect(await generationOf(sessionId)).toBe(generation);
      }
    });

    it('goes on with the new tokens when the password was changed', async () => {
      const { client, storage } = await signedIn(create);
      const { refreshToken } = storage.held()!;
      expire();
      const { status, body } = await client.request('PUT', '/me/password', {
        currentPassword: password,
        newPassword: 'wrong horse battery',
      });
      expect([status, storage.held()]).toEqual([200, body]);
      expect((await ask('POST', '/auth/refresh', { body: { refreshToken } })).body).toMatchObject({
        sessionStatus: 'ended',
      });
      expire();
      expect((await client.request('GET', '/me')).status).toBe(200);
    });
  });

  describe('signs out:', () => {
    it('erases the tokens, and the session is over', async () => {
      const { client, storage } = await signedIn(create);
      const { refreshToken } = storage.held()!;
      expire();
      expect((await client.logout()).status).toBe(204);
      expect(storage.held()).toBeNull();
      expect((await ask('POST', '/auth/refresh', { body: { refreshToken } })).body).toMatchObject({
        sessionStatus: 'ended',
      });
      expect((await client.logout()).status).toBe(204);
    });

    it('erases the tokens also when nobody answers, and says so', async () => {
      const { client, storage } = await signedIn(create);
      gate.all(LOGOUT, refused);
      await expect(client.logout()).rejects.toThrow(/fetch failed|socket hang up|ECONNRESET/);
      expect(storage.held()).toBeNull();
    });

    it('is not undone by a refresh that was under way', async () => {
      const { client, storage } = await signedIn(create);
      expire();
      const { promise, resolve } = Promise.withResolvers<void>();
      gate.next(REFRESH, heldUntil(promise));
      const asked = outcome(client.request('GET', '/me'));
      await eventually(() => expect(gate.count(REFRESH)).toBe(1));
      await client.logout();
      resolve();
      expect((await asked).status).toBe(401);
      expect(storage.held()).toBeNull();
    });
  });
});

it('asks again with the same token after a reply that never comes', async () => {
  const people = await Promise.all(
    examples.map(([, create]) => signedIn(create, { timeout: 5000 })),
  );
  expire();
  gate.next(REFRESH, ...people.map(() => mute));
  expect(
    (await Promise.all(people.map(({ client }) => client.request('GET', '/me')))).map(
      ({ status }) => status,
    ),
  ).toEqual(people.map(() => 200));
  expect(await Promise.all(people.map(({ sessionId }) => generationOf(sessionId)))).toEqual(
    people.map(() => 1),
  );
});

it('a restart of the server signs nobody out', async () => {
  const back = Promise.withResolvers<void>();
  const people = await Promise.all(
    examples.map(([, create]) => signedIn(create, { sleep: () => back.promise })),
  );
  for (const { storage } of people) await storage.set({ ...storage.held()!, accessToken: 'x' });
  gate.lead('http://127.0.0.1:1');
  gate.next(ME, ...people.map(() => problem('token_expired')));
  const asked = people.map(({ client }) => client.request('GET', '/me'));
  await eventually(() => expect(gate.count(REFRESH)).toBe(people.length));
  const restarted = await startProcess(settingsFor(databaseUrl, { APP_SECRET: env.APP_SECRET }));
  gate.lead(restarted.url);
  back.resolve();
  expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(people.map(() => 200));
  gate.lead(url);
});

describe('the server', () => {
  it('tells GET /me of a new role at once, with the token that was there before', async () => {
    const user = await register();
    await auth.roles.grant(user.id, 'moderator');
    expect((await user.ask('GET', '/me')).body.roles).toEqual(['moderator', 'user']);
  });

  it('ends the other sessions or all of them, as the scope says', async () => {
    const { tokens, ask: asOwner, username } = await register();
    const other = (await logIn(username)).body.accessToken as string;
    const left = async () => [
      (await asOwner('GET', '/me')).status,
      (await ask('GET', '/me', { token: other })).status,
    ];
    for (const [scope, statuses] of Object.entries({ others: [200, 401], all: [401, 401] })) {
      await ask('POST', '/auth/logout', { body: { refreshToken: tokens.refreshToken, scope } });
      expect(await left()).toEqual(statuses);
    }
  });

  it('begins one more session when a sign-in is repeated', async () => {
    const user = await register();
    for (const count of [2, 3]) {
      const { body } = await logIn(user.username);
      expect(
        (await ask('GET', '/me/sessions', { token: body.accessToken })).body.data,
      ).toHaveLength(count);
    }
  });
});

describe('docs/clients.md', () => {
  it.each(['fetch-client.js', 'axios-client.js'])('%s has at most 40 lines', (name) => {
    expect(blocks.get(name)!.trimEnd().split('\n').length).toBeLessThanOrEqual(40);
  });

  it('refers to tests that are there', () => {
    const table = guide.slice(guide.indexOf('## Where it is tested'));
    const rules = table.split('\n').filter((line) => /^\| \d/.test(line));
    expect(rules).toHaveLength(guide.match(/^\*\*\d+\. /gm)!.length);
    for (const rule of rules) {
      let source = '';
      for (const [, file, name] of rule.matchAll(/\((\.\.\/test\/[\w/-]+\.test\.ts)\)|“([^”]+)”/g))
        if (file) source = readFileSync(join(root, 'docs', file), 'utf8');
        else expect(source, rule).toContain(`'${name}'`);
      expect(source, rule).not.toBe('');
    }
  });
});
