import bcrypt from 'bcrypt';
import type { Request } from 'express';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { throttleLogin } from '#src/authentication/login-throttle';
import { Problem } from '#src/platform/http/problem';
import { custom } from '#src/strategy-kit/strategy';
import { password } from '#test/support/app';
import { SECOND, wait } from '#test/support/clock';
import type { Answer } from '#test/support/client';
import { elsewhere } from '#test/support/elsewhere';
import { startLimited, statuses, times } from '#test/support/limited';
import { rounds } from '#test/support/rounds';
import { statementsOf } from '#test/support/statements';

const { ask, ctx, databaseUrl, from, logIn, member, unused, unusedName, url, Session, User } =
  await startLimited({
    DIALECTS: 'zohaib,devckano',
  });

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const MINUTE = 60 * SECOND;
const comparable = ({ status, headers, text, body }: Answer) => {
  const { 'x-request-id': _id, date: _date, ...rest } = Object.fromEntries(headers);
  return { status, headers: rest, text: text.replace(body.requestId, '') };
};
/** Strangers fail so often, each from an address of their own (L-05). */
const fail = (n: number, identifier: string) => times(n, () => logIn(unused(), identifier));
const statusOf = async (ip: string, identifier: string) =>
  (await logIn(ip, identifier, password)).status;

describe('an account at which strangers fail', () => {
  it('takes ten failures, then refuses the right password from a strange place as if it were wrong (L-04)', async () => {
    const ada = await member();
    wait(0);
    const wrong = await fail(10, ada.username);
    expect(statuses(wrong)).toEqual([401]);
    const locked = await logIn(unused(), ada.username, password);
    expect(comparable(locked)).toEqual(comparable(wrong[0]!));
    expect(locked.body.code).toBe('invalid_credentials');
    expect(comparable(await logIn(unused(), ada.username))).toEqual(comparable(wrong[0]!));
  });

  it('lets one attempt through after 1 s, the next after 2 s, and so on up to 15 minutes', async () => {
    const ada = await member();
    wait(0);
    await fail(10, ada.username);
    for (const pause of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900].slice(0, rounds(4, 12))) {
      wait(pause * SECOND - 1);
      expect(await statusOf(unused(), ada.username)).toBe(401);
      wait(1);
      const compare = vi.spyOn(bcrypt, 'compare');
      await logIn(unused(), ada.username, 'a guess');
      expect(compare.mock.lastCall![1]).toBe((await User.findByPk(ada.id))!.passwordHash); // a guess that counts is compared with the real hash
      compare.mockRestore();
      expect(await statusOf(unused(), ada.username)).toBe(401);
    }
    wait(15 * MINUTE);
    expect(await statusOf(unused(), ada.username)).toBe(200);
  });

  it('starts again after a success', async () => {
    const ada = await member();
    wait(0);
    await fail(9, ada.username);
    expect(await statusOf(unused(), ada.username)).toBe(200);
    await fail(9, ada.username);
    expect(await statusOf(unused(), ada.username)).toBe(200);
    await fail(10, ada.username);
    expect(await statusOf(unused(), ada.username)).toBe(401);
  });

  it('starts again 15 minutes after the first of fewer than ten, and 12 hours after the last of more', async () => {
    const [ada, bob] = [await member(), await member()];
    wait(0);
    await fail(9, ada.username);
    await fail(11, bob.username);
    wait(15 * MINUTE);
    await fail(9, ada.username);
    expect(await statusOf(unused(), ada.username)).toBe(200);
    await fail(1, bob.username);
    expect(await statusOf(unused(), bob.username)).toBe(401);
    wait(12 * 60 * MINUTE);
    await fail(9, bob.username);
    expect(await statusOf(unused(), bob.username)).toBe(200);
  });

  it('is one, however its name is spelt, by name or by address, here or by a compatibility adapter (L-10)', async () => {
    const email = `${unusedName()}@example.com`;
    const ada = await member({ email });
    wait(0);
    const spelt = [
      ada.username,
      ada.username.toUpperCase(),
      `  ${ada.username} `,
      email,
      email.toUpperCase(),
      ` ${email}`,
    ];
    for (const name of spelt) await logIn(unused(), name);
    for (const body of [
      { email, password: 'a guess' },
      { email: email.toUpperCase(), password: 'a guess' },
    ])
      await fetch(`${url}/users/login`, post(body));
    for (let i = 0; i < 2; i++)
      await fetch(`${url}/login`, post({ name: ada.username, password: 'a guess' }));
    expect(await statusOf(unused(), ada.username)).toBe(401);
    expect((await fetch(`${url}/users/login`, post({ email, password }))).status).toBe(401);
    wait(SECOND);
    expect((await fetch(`${url}/users/login`, post({ email, password }))).status).toBe(200);
  });
  const post = (body: object) => ({
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': unused() },
    body: JSON.stringify(body),
  });

  it('lets exactly ten guesses pass of many at once', async () => {
    for (let round = 0; round < rounds(2, 50); round++) {
      const ada = await member();
      wait(0);
      const compare = vi.spyOn(bcrypt, 'compare');
      await Promise.all(Array.from({ length: 20 }, () => logIn(unused(), ada.username)));
      const { passwordHash } = (await User.findByPk(ada.id))!;
      expect(compare.mock.calls.filter(([, hash]) => hash === passwordHash)).toHaveLength(10);
      expect(compare).toHaveBeenCalledTimes(20);
      compare.mockRestore();
    }
  });

  it('is not told from a name that nobody has: same bytes, same work, same counters', async () => {
    const ada = await member();
    const nobody = unusedName();
    const statements = statementsOf(User.sequelize);
    const compare = vi.spyOn(bcrypt, 'compare');
    const traces = [];
    wait(0);
    for (const name of [ada.username, nobody]) {
      const trace = [];
      for (let i = 0; i < 13; i++) {
        statements.length = 0;
        compare.mockClear();
        const answer = comparable(await logIn(unused(), name));
        expect(compare).toHaveBeenCalledTimes(1);
        trace.push({
          ...answer,
          statements: statements.map((sql) => sql.split(' ').slice(0, 4).join(' ')),
        });
      }
      traces.push(trace);
    }
    expect(traces[0]).toEqual(traces[1]);
    expect(new Set(traces[0]!.map(({ text }) => text)).size).toBe(1);
  });

  it('tells a guesser nothing while it is locked, not even by renewing the hash of the right password', async () => {
    const ada = await member();
    const old = bcrypt.hashSync(password, 4).replace('$2b$', '$2y$');
    await User.update({ passwordHash: old }, { where: { id: ada.id } });
    wait(0);
    await fail(10, ada.username);
    const compare = vi.spyOn(bcrypt, 'compare');
    const hash = vi.spyOn(bcrypt, 'hash');
    expect(await statusOf(unused(), ada.username)).toBe(401);
    expect(compare).toHaveBeenCalledTimes(1);
    expect(hash).not.toHaveBeenCalled();
    expect((await User.findByPk(ada.id))!.passwordHash).toBe(old);
  });

  it('does not count what was never compared, because the server was busy', async () => {
    const ada = await member();
    wait(0);
    await fail(5, ada.username);
    const compare = vi
      .spyOn(bcrypt, 'compare')
      .mockImplementation(() => Promise.reject(new Problem('busy')));
    expect(statuses(await fail(4, ada.username))).toEqual([503]);
    compare.mockRestore();
    await fail(4, ada.username);
    expect(await statusOf(unused(), ada.username)).toBe(200);
  });

  it('announces each refusal as it does a wrong password, and that it was one too many', async () => {
    const ada = await member();
    const events: string[] = [];
    const stop = ctx.events.onAny((name) => events.push(name));
    wait(0);
    await fail(12, ada.username);
    stop();
    const tooMany = ['limit.reached', 'session.refused'];
    expect(events).toEqual([
      ...Array.from({ length: 10 }, () => 'session.refused'),
      ...tooMany,
      ...tooMany,
    ]);
  });
});

describe('where somebody has signed in before', () => {
  it('they are let in while strangers are locked out, and the strangers stay so', async () => {
    const ada = await member();
    wait(0);
    await fail(30, ada.username);
    expect(await statusOf(ada.ip, ada.username)).toBe(200);
    expect(await statusOf(unused(), ada.username)).toBe(401);
  });

  it('they are let in after the session has ended, too, and from the whole /64 of an IPv6 network', async () => {
    const ada = await member({}, '2001:db8:a:b::1');
    expect(
      (await ask('POST', '/auth/logout', { token: ada.token, body: {}, ...from(ada.ip) })).status,
    ).toBe(204);
    wait(0);
    await fail(11, ada.username);
    expect(await statusOf('2001:db8:a:b:c::9', ada.username)).toBe(200);
    expect(await statusOf('2001:db8:a:c::1', ada.username)).toBe(401);
  });

  it('where they have refreshed counts as well', async () => {
    const [ada, train] = [await member(), unused()];
    const { refreshToken } = ada.tokens;
    expect(
      (await ask('POST', '/auth/refresh', { body: { refreshToken }, ...from(train) })).status,
    ).toBe(200);
    wait(0);
    await fail(11, ada.username);
    expect(await statusOf(train, ada.username)).toBe(200);
  });

  it('failures count, too: a neighbour guesses no faster than a stranger, and locks out nobody elsewhere', async () => {
    const ada = await member();
    const home = unused();
    expect(await statusOf(home, ada.username)).toBe(200);
    wait(0);
    await times(10, () => logIn(ada.ip, ada.username));
    expect(await statusOf(ada.ip, ada.username)).toBe(401);
    expect(await statusOf(home, ada.username)).toBe(200);
    expect(await statusOf(unused(), ada.username)).toBe(200);
    expect(await statusOf(ada.ip, ada.username)).toBe(401);
    wait(SECOND);
    expect(await statusOf(ada.ip, ada.username)).toBe(200);
  });

  it('somebody else has not: their own sessions there open nothing', async () => {
    const [ada, eve] = [await member(), await member()];
    wait(0);
    await fail(10, ada.username);
    expect(await statusOf(eve.ip, eve.username)).toBe(200);
    expect(await statusOf(eve.ip, ada.username)).toBe(401);
  });

  it('is forgotten with the session', async () => {
    const ada = await member();
    await Session.destroy({ where: { userId: ada.id } });
    wait(0);
    await fail(10, ada.username);
    expect(await statusOf(ada.ip, ada.username)).toBe(401);
  });
});

describe('a strategy that does not say whom its credentials name', () => {
  const strategy = {
    name: 'x',
    kind: 'login',
    summary: 'X',
    credentials: z.object({}),
    create: () => custom(async () => null),
  } as const;
  const attempt = (body: object) => {
    const req = { body, ip: '192.0.2.1', headers: {} } as never as Request;
    return throttleLogin(ctx, req, strategy, {} as never).then(({ locked }) => ({
      locked,
      body: req.body as object,
    }));
  };

  it('has failures counted by the usual fields, as typed but for case and space', async () => {
    wait(0);
    for (let i = 0; i < 10; i++)
      expect((await attempt({ login: i % 2 ? 'Cobol-User' : ' cobol-user', code: 1 })).locked).toBe(
        false,
      );
    const { locked, body } = await attempt({ login: 'COBOL-USER', code: 1 });
    expect([locked, body]).toEqual([
      true,
      { login: expect.stringMatching(/^x[\da-f]{24}$/), code: 1 },
    ]);
    expect((await attempt({ login: 'another', code: 1 })).locked).toBe(false);
  });

  it('has none counted where nothing names anybody', async () => {
    for (let i = 0; i < 12; i++) expect((await attempt({ token: 'the same' })).locked).toBe(false);
  });
});

it('a counter that cannot be reset keeps nobody out who knows the password', async () => {
  const ada = await member();
  const { sequelize } = ctx.db;
  const query = sequelize.query.bind(sequelize) as (...given: unknown[]) => Promise<unknown>;
  let refused = 0;
  vi.spyOn(sequelize, 'query').mockImplementation(((sql: unknown, ...more: unknown[]) => {
    if (typeof sql !== 'string' || !sql.includes(', 0, 0, 0)')) return query(sql, ...more);
    refused++;
    return Promise.reject(new Error('not now'));
  }) as never);
  expect(await statusOf(unused(), ada.username)).toBe(200);
  expect(refused).toBe(1);
});

it('a client that hangs up gives up its place in the queue for bcrypt', async () => {
  const compare = vi.spyOn(bcrypt, 'compare');
  const asked = (isGone: boolean) =>
    ctx.request.run({ requestId: 'x', isGone: () => isGone }, () =>
      ctx.passwords.matches('a guess', null),
    );
  const all = await Promise.allSettled([asked(false), asked(true), asked(true), asked(false)]);
  expect(all.map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'rejected',
    'fulfilled',
  ]);
  expect(compare).toHaveBeenCalledTimes(2);
});

it('renaming oneself changes nothing for who counts', async () => {
  const ada = await member();
  wait(0);
  await fail(10, ada.username);
  const username = unusedName();
  await elsewhere(databaseUrl, 'UPDATE users SET username_canonical = ? WHERE id = ?', [
    username,
    ada.id,
  ]);
  expect(await statusOf(unused(), username)).toBe(401);
});
