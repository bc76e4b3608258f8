import { randomUUID } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { HourStats } from '#src/client/api';
import { createSallyport } from '#src/index';
import { queueMail } from '#src/platform/mail/outbox';
import { SETTING_NAMES } from '#src/platform/settings/read';
import { startApp, testSecret } from '#test/support/app';
import { commandLine, speaking } from '#test/support/command';
import { emptyDatabase, engine } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import { freePort } from '#test/support/mysql';
import { testOptions } from '#test/support/host';

const smtpPort = await freePort(); // nobody answers there
const CANARY = 'QQcanaryQQ';
const app = await startApp({
  SMTP_URL: `smtp://${CANARY}user:${CANARY}password@127.0.0.1:${smtpPort}`,
  MAIL_FROM: 'auth@example.com',
  GITHUB_CLIENT_ID: `${CANARY}id`,
  GITHUB_CLIENT_SECRET: `${CANARY}secret`,
  REDIRECT_URIS: 'http://127.0.0.1/signed-in',
  DEVISE_PEPPER: `${CANARY}pepper`,
  API_KEYS: 'on',
});
const { ctx, ask, env, auth, register, logIn, OutgoingMail, Role, SigningKey } = app;
const admin = await register({}, 'admin');
const { does, refuses, json } = speaking(commandLine(env));

/** Somebody who has these permissions and no others. */
async function holder(...permissions: string[]) {
  const name = `role-${permissions.join('-').replaceAll(/[^a-z]+/g, '-')}`;
  await Role.findOrCreate({
    where: { name },
    defaults: { id: randomUUID(), name, permissions: permissions.join(' ') },
  });
  return register({}, name);
}

const ID = '0197a000-0000-7000-8000-000000000000';
const ROUTES: [method: string, path: string, permission: string, body?: object][] = [
  ['GET', '/admin/stats', 'server:read'],
  ['GET', '/admin/settings', 'server:read'],
  ['POST', '/admin/keys/rotate', 'keys:rotate', {}],
  ['GET', '/admin/mails', 'mails:read'],
  ['POST', `/admin/mails/${ID}/retry`, 'mails:retry'],
  ['DELETE', `/admin/mails/${ID}`, 'mails:drop'],
];

describe.each(ROUTES)('%s %s', (method, path, permission, body) => {
  const question = body ? { body } : {};

  it('refuses strangers, users, moderators, and whoever has other permissions (A-01)', async () => {
    expect(await ask(method, path, question)).toMatchObject({ status: 401 });
    const others = ROUTES.map(([, , each]) => each).filter((each) => each !== permission);
    for (const me of [
      await register(),
      await register({}, 'moderator'),
      await holder(...new Set(others)),
    ])
      expect(await me.ask(method, path, question)).toMatchObject({
        status: 403,
        body: { code: 'forbidden', required: [permission] },
      });
  });

  it('opens to whoever has the permission, or all of its kind', async () => {
    for (const held of [permission, permission.replace(/:.*/, ':*'), '*']) {
      const { status } = await (await holder(held)).ask(method, path, question);
      expect([200, 204, 404]).toContain(status);
    }
  });
});

describe('the mail queue', () => {
  /** A mail that was tried in vain. */
  async function stuck(to = `somebody@${randomUUID().slice(0, 8)}.example`) {
    const before = (await OutgoingMail.findAll({ attributes: ['id'] })).map(({ id }) => id);
    await queueMail(ctx, to, {
      template: 'test',
      subject: `${CANARY} subject`,
      parts: [`${CANARY} text`],
      goodFor: 3600,
    });
    return eventually(async () => {
      const mail = (await OutgoingMail.findAll()).find(({ id }) => !before.includes(id))!;
      expect(mail.attempts).toBeGreaterThan(0);
      expect(mail.nextAttemptAt.getTime() - ctx.clock.now()).toBeLessThan(60_000); // given back
      return mail;
    });
  }
  const postpone = (id: string, ms: number) =>
    OutgoingMail.update({ nextAttemptAt: ctx.clock.date(ms) }, { where: { id } });

  it('is listed without recipients, subjects and texts', async () => {
    const { id } = await stuck('Ada.Secret@shown.example');
    const { status, body, text } = await admin.ask('GET', '/admin/mails');
    expect(status).toBe(200);
    const time = expect.stringMatching(/^\d{4}-/);
    expect(body.data[0]).toEqual({
      id,
      template: 'test',
      domain: 'shown.example',
      attempts: expect.any(Number),
      createdAt: time,
      nextAttemptAt: time,
      expiresAt: time,
    });
    expect(text).not.toMatch(new RegExp(`${CANARY}|ada\\.secret`, 'i'));
    expect(await does('mail list')).not.toMatch(new RegExp(`${CANARY}|ada\\.secret`, 'i'));
    expect((await json('mail list')).data[0]).toMatchObject({ id, domain: 'shown.example' });
  });

  it('is paged', async () => {
    await stuck();
    await stuck();
    const first = (await admin.ask('GET', '/admin/mails?limit=1')).body;
    const second = (await admin.ask('GET', `/admin/mails?limit=1&cursor=${first.nextCursor}`)).body;
    expect(first.data).toHaveLength(1);
    expect(second.data[0].id < first.data[0].id).toBe(true);
  });

  it('sends a mail at once that waits for long, and no other', async () => {
    const { id } = await stuck();
    await postpone(id, 3_000_000);
    const { attempts } = (await OutgoingMail.findByPk(id))!;
    const { status, body } = await admin.ask('POST', `/admin/mails/${id}/retry`);
    expect([status, body.id]).toEqual([200, id]);
    expect(Date.parse(body.nextAttemptAt)).toBeLessThanOrEqual(Date.now() + 1000);
    await eventually(async () => {
      const mail = (await OutgoingMail.findByPk(id))!;
      expect(mail.attempts).toBeGreaterThan(attempts);
      expect(mail.nextAttemptAt.getTime() - ctx.clock.now()).toBeLessThan(140_000); // given back
    });
    // It may be in the hands of a worker: then its lease ends within minutes.
    await postpone(id, 100_000);
    const leased = await admin.ask('POST', `/admin/mails/${id}/retry`);
    expect(Date.parse(leased.body.nextAttemptAt)).toBeGreaterThan(Date.now() + 60_000);
    await does(`mail retry ${id}`);
  });

  it('drops a mail once, and says so', async () => {
    const { id } = await stuck();
    const heard: object[] = [];
    onTestFinished(ctx.events.on('mail.dropped', (event) => void heard.push(event)));
    const answers = await Promise.all([1, 2].map(() => admin.ask('DELETE', `/admin/mails/${id}`)));
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([204, 404]);
    expect(heard).toEqual([{ mailId: id, template: 'test' }]);
    expect(await OutgoingMail.count({ where: { id } })).toBe(0);
    const other = await stuck();
    await does(`mail drop ${other.id}`);
    await refuses(`mail drop ${other.id}`, /does not exist|There is no/);
    await refuses('mail drop nonsense', /^There is no mail with this id\.$/m);
  });

  it('answers 404 for a mail that is not there, and 400 for what is no id', async () => {
    for (const [method, end] of [
      ['POST', '/retry'],
      ['DELETE', ''],
    ] as const) {
      expect((await admin.ask(method, `/admin/mails/${ID}${end}`)).status).toBe(404);
      expect((await admin.ask(method, `/admin/mails/1${end}`)).status).toBe(400);
    }
  });

  it('is there for an app that embeds the server', async () => {
    const { id } = await stuck();
    expect((await auth.mails.list({ limit: 1 })).data[0]).toMatchObject({ id });
    await auth.mails.drop(id);
    await expect(auth.mails.retry(id)).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('GET /admin/settings', () => {
  const valuesOf = async () => {
    const { body } = await admin.ask('GET', '/admin/settings');
    return new Map<string, string | null>(
      body.data.map(({ name, value }: { name: string; value: string }) => [name, value]),
    );
  };

  it('tells every setting in force, as it would stand in the environment', async () => {
    const values = await valuesOf();
    expect([...values.keys()]).toEqual(expect.arrayContaining([...SETTING_NAMES]));
    expect(Object.fromEntries(values)).toMatchObject({
      PORT: '0',
      LIMITS: 'off',
      BCRYPT_COST: '4',
      LIMIT_SIGN_INS_PER_NETWORK: '30/1m, 300/1h',
      LIMIT_LOGIN_FAILURES_PAUSE: '1s-15m',
      LIMIT_LOGIN_FAILURES_FORGET: '12h',
      STRATEGIES_DIR: null,
      SMTP_URL: `smtp://127.0.0.1:${smtpPort}`,
      MAIL_FROM: 'auth@example.com',
    });
  });

  it('tells no secret, no part of one and no length (A-10)', async () => {
    const values = await valuesOf();
    const { text } = await admin.ask('GET', '/admin/settings');
    const shown = await does('settings show');
    for (const secret of [CANARY, testSecret(), testSecret().slice(0, 6), testSecret().slice(-6)])
      for (const answer of [text, shown]) expect(answer).not.toContain(secret);
    expect(Object.fromEntries(values)).toMatchObject({
      APP_SECRET: 'set',
      APP_SECRET_PREVIOUS: 'not set',
      JWT_SECRET: 'not set',
      REDIRECT_URIS: 'http://127.0.0.1/signed-in',
      DEVISE_PEPPER: 'set',
      GITHUB_CLIENT_ID: 'set',
      GITHUB_CLIENT_SECRET: 'set',
      LDAP_BIND_PASSWORD: 'not set',
    });
    if (engine === 'mysql') expect(values.get('DATABASE_URL')).not.toMatch(/@/);
  });

  it('treats as a secret whatever is called one', async () => {
    const values = await valuesOf();
    for (const name of SETTING_NAMES.filter((each) =>
      /SECRET|PEPPER|TOKEN$|PASSWORD$|_KEY$/.test(each),
    ))
      expect(['set', 'not set'], name).toContain(values.get(name));
  });

  it('tells the same as the command line', async () => {
    const values = await valuesOf();
    const { data } = await json('settings show');
    for (const { name, value } of data) expect([name, value]).toEqual([name, values.get(name)]);
  });

  it('shows an address without user, password and query, on any host', async () => {
    const other = await startApp({
      DATABASE_URL: await emptyDatabase(),
      REDIS_URL: `redis://${CANARY}:${CANARY}@127.0.0.1:${await freePort()}/3`,
      LIMITS_SHARED_NETWORKS: '198.51.100.0/24*20, 2001:db8::/48',
    });
    const chief = await other.register({}, 'admin');
    const { body, text } = await chief.ask('GET', '/admin/settings');
    expect(text).not.toContain(CANARY);
    const value = (name: string) =>
      body.data.find((each: { name: string }) => each.name === name).value;
    expect(value('REDIS_URL')).toMatch(/^redis:\/\/127\.0\.0\.1:\d+\/3$/);
    expect(value('LIMITS_SHARED_NETWORKS')).toMatch(
      /^198\.51\.100\.0\/24\*20, 2001:db8::\/48\*10$/,
    );
  });
});

describe('GET /admin/stats', () => {
  it('refuses other numbers of days', async () => {
    for (const days of ['0', '31', '-1', '1.5', 'all', '', '7&days=8'])
      expect((await admin.ask('GET', `/admin/stats?days=${days}`)).status).toBe(400);
    await refuses('stats --days 31', /whole number from 1 to 30/);
  });

  it('refuses other numbers of hours', async () => {
    for (const hours of ['0', '49', '-1', '1.5', 'all', ''])
      expect((await admin.ask('GET', `/admin/stats?hours=${hours}`)).status).toBe(400);
  });

  it('counts users, sessions and mails', async () => {
    const { body } = await admin.ask('GET', '/admin/stats');
    expect(body.users).toEqual({ value: await app.User.count(), isExact: true });
    expect(body.sessions.value).toBeGreaterThan(1);
    expect(body.mails.value).toBe(await OutgoingMail.count());
  });

  it('counts sign-ins by day and strategy', async () => {
    const { username } = await register();
    const local = async () => {
      const { body } = await admin.ask('GET', '/admin/stats?days=1');
      const today = body.days.at(-1);
      expect(today.day).toBe(new Date().toISOString().slice(0, 10));
      return today.signIns.find((each: { strategy: string }) => each.strategy === 'local');
    };
    const before = await local();
    await logIn(username);
    await logIn(username, 'wrong password');
    const after = await local();
    expect(after.succeeded - before.succeeded).toBe(1);
    expect(after.refused - before.refused).toBe(1);
    expect((await json('stats --days 1')).days.at(-1).signIns).toContainEqual(after);
    expect(await does('stats')).toMatch(/^\d{4}-\d\d-\d\d +local +\d+ +\d+ +\d+$/m);
    expect((await auth.stats(1)).days.at(-1)!.signIns).toContainEqual(after);
  });

  it('counts sign-ins and limits by the hour, in UTC, and leaves out what is older', async () => {
    const HOUR = 3_600_000;
    const thisHour = Math.floor(Date.now() / HOUR) * HOUR;
    const added = { strategy: 'by-hour', ip: undefined };
    const idOf = (time: number) => uuid({ msecs: time });
    const at = async (time: number, type: string, details: object) => {
      const template = (await app.AuditEntry.findOne())!.get({ plain: true });
      const [id, createdAt] = [idOf(time), new Date(time)];
      const more = { id, type, createdAt, details: JSON.stringify(details) };
      await app.AuditEntry.create({ ...template, ...more, seq: null });
    };
    await at(thisHour, 'session.started', added);
    await at(thisHour - 1, 'session.refused', added);
    await at(thisHour - 1, 'limit.reached', { limit: 'by-hour' });
    await at(thisHour - HOUR, 'limit.reached', { limit: 'by-hour' });
    await at(thisHour - HOUR - 1, 'session.started', added);
    const of = async (hours: number) => {
      const { body } = await admin.ask('GET', `/admin/stats?days=1&hours=${hours}`);
      return body.hours.map(({ hour, signIns, limits }: HourStats) => [
        (Date.parse(hour) - thisHour) / HOUR,
        signIns.filter(({ strategy }) => strategy === 'by-hour'),
        limits.filter(({ limit }) => limit === 'by-hour'),
      ]);
    };
    const signIn = { strategy: 'by-hour', succeeded: 0, challenged: 0, refused: 0 };
    const two = [
      [-1, [{ ...signIn, refused: 1 }], [{ limit: 'by-hour', reached: 2 }]],
      [0, [{ ...signIn, succeeded: 1 }], []],
    ];
    expect(await of(1)).toEqual(two.slice(1));
    expect(await of(2)).toEqual(two);
    expect(await of(3)).toEqual([[-2, [{ ...signIn, succeeded: 1 }], []], ...two]);
  });
});

describe('POST /admin/keys/rotate', () => {
  const rotate = (body: object = {}) => admin.ask('POST', '/admin/keys/rotate', { body });

  it('needs a sign-in of late, and no API key', async () => {
    const stale = await register({}, 'admin');
    await app.Session.update(
      { authenticatedAt: new Date(Date.now() - 7_200_000) },
      { where: { userId: stale.id } },
    );
    const question = { body: {} };
    expect((await stale.ask('POST', '/admin/keys/rotate', question)).body.code).toBe(
      'step_up_required',
    );
    const key = await admin.ask('POST', '/me/api-keys', {
      body: { name: 'script', scopes: ['admin'] },
    });
    const asked = await ask('POST', '/admin/keys/rotate', { ...question, token: key.body.key });
    expect([401, 403]).toContain(asked.status);
  });

  it('makes the next key, once while it waits, and nobody is signed out', async () => {
    const before = await SigningKey.count();
    const { status, body } = await rotate();
    expect(status).toBe(200);
    expect(Date.parse(body.signsFrom)).toBeGreaterThan(Date.now());
    expect((await rotate()).body.kid).toBe(body.kid);
    expect(await SigningKey.count()).toBeLessThanOrEqual(before + 1);
    expect((await ask('GET', '/.well-known/jwks.json')).body.keys).toContainEqual(
      expect.objectContaining({ kid: body.kid }),
    );
    expect((await admin.ask('GET', '/me')).status).toBe(200);
  });

  it('replaces every key at once if they may be known', async () => {
    const me = await register();
    const { status, body } = await rotate({ now: true });
    expect([status, body.kid]).toEqual([200, null]);
    expect((await me.ask('GET', '/me')).status).toBe(401);
    const { refreshToken } = me.tokens;
    expect((await ask('POST', '/auth/refresh', { body: { refreshToken } })).status).toBe(200);
  });

  it('is refused where the key is a setting', async () => {
    const other = await startApp({
      DATABASE_URL: await emptyDatabase(),
      JWT_ALG: 'HS256',
      JWT_SECRET: testSecret(),
    });
    const chief = await other.register({}, 'admin');
    const { status, body } = await chief.ask('POST', '/admin/keys/rotate', { body: {} });
    expect([status, body.code]).toEqual([409, 'no_signing_keys']);
  });
});

it('an app that embeds the server asks the same', async () => {
  const own = await createSallyport(await testOptions());
  onTestFinished(() => own.close());
  expect(await own.stats()).toEqual({
    users: { value: 0, isExact: true },
    sessions: { value: 0, isExact: true },
    mails: { value: 0, isExact: true },
    days: [],
    hours: [],
    isComplete: true,
  });
});
