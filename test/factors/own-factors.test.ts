import { afterEach, describe, expect, it, vi } from 'vitest';
import { sealFactorsAgain } from '#src/factors/totp';
import { tendKeys } from '#src/keys/rotation';
import { password, startApp } from '#test/support/app';
import { statusesOf } from '#test/support/client';
import { wait } from '#test/support/clock';
import { openMailbox } from '#test/support/mailbox';
import { node } from '#test/support/node';
import { testSecret } from '#test/support/secret';
import { addApp, totpCode } from '#test/support/second-factor';

const mailbox = await openMailbox();
const app = await startApp({ ...mailbox.env, API_KEYS: 'on', BASIC_AUTH: 'on' });
const { auth, ctx, ask, env, register, Factor, OneTimeToken, RecoveryCode, Session, User } = app;

afterEach(() => void vi.useRealTimers());

const factorsOf = async (id: string) => (await User.findByPk(id))!.factors;
type Person = Awaited<ReturnType<typeof register>>;
const start = async (me: Person, name?: string) =>
  (await me.ask('POST', '/me/factors/totp', { body: { ...(name && { name }) } })).body as {
    id: string;
    secret: string;
    uri: string;
    qr: string;
  };
const confirm = (me: Person, id: string, code: string) =>
  me.ask('POST', `/me/factors/totp/${id}/confirm`, { body: { code } });

let made = 0;
async function withAddress() {
  const email = `ada${++made}@example.com`;
  const me = await register({ email, name: 'Ada' });
  await User.update({ emailVerifiedAt: new Date() }, { where: { id: me.id } });
  return { ...me, email };
}

describe('an authenticator app', () => {
  it('is added with a code that it shows, and comes with ten recovery codes', async () => {
    const ada = await register();
    const { id, secret, uri, qr } = await start(ada, 'my phone');
    expect(uri).toBe(
      `otpauth://totp/localhost:${ada.username}?issuer=localhost&secret=${secret}&algorithm=SHA1&digits=6&period=30`,
    );
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(qr).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"[^<]*>.*<\/svg>$/s);
    expect(qr).not.toMatch(/<(script|image|foreignObject)|href|\son\w+=/i);
    expect((await ada.ask('GET', '/me/factors')).body).toEqual({
      data: [],
      nextCursor: null,
      recoveryCodesLeft: 0,
    });
    expect(await factorsOf(ada.id)).toBe(0);

    const { status, body, text } = await confirm(ada, id, totpCode(secret, ctx.clock.now()));
    expect(status, text).toBe(200);
    expect(body).toMatchObject({ id, kind: 'totp', name: 'my phone', lastUsedAt: null });
    expect(new Set(body.recoveryCodes).size).toBe(10);
    for (const code of body.recoveryCodes)
      expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/);
    const listed = (await ada.ask('GET', '/me/factors')).body;
    expect(listed).toMatchObject({
      data: [{ id, name: 'my phone', deviceType: null, backedUp: null }],
      recoveryCodesLeft: 10,
    });
    expect(Object.keys(listed.data[0]).sort()).toEqual([
      'backedUp',
      'createdAt',
      'deviceType',
      'id',
      'kind',
      'lastUsedAt',
      'name',
    ]);
    expect(await factorsOf(ada.id)).toBe(1);
  });

  it('comes without recovery codes when it is the second one', async () => {
    const ada = await register();
    const first = await addApp(ctx, ada);
    const second = await addApp(ctx, ada);
    expect([first.recoveryCodes.length, second.recoveryCodes]).toEqual([10, null]);
    expect(await factorsOf(ada.id)).toBe(2);
    expect((await ada.ask('GET', '/me/factors')).body.recoveryCodesLeft).toBe(10);
  });

  it('leaves neither its secret nor a recovery code readable in the database', async () => {
    const ada = await register();
    const { secret, recoveryCodes } = await addApp(ctx, ada);
    const stored = JSON.stringify([
      await Factor.findAll({ where: { userId: ada.id } }),
      await RecoveryCode.findAll({ where: { userId: ada.id } }),
    ]);
    for (const text of [
      secret,
      ...recoveryCodes,
      ...recoveryCodes.map((c) => c.replaceAll('-', '')),
    ])
      expect(stored).not.toContain(text);
  });

  // M-05
  it.each<[what: string, steps: number, status: number]>([
    ['the step before last', -2, 401],
    ['the last step', -1, 200],
    ['the next step', 1, 200],
    ['the next but one', 2, 401],
  ])('is confirmed by a code of %s: %i gives %i', async (_what, steps, status) => {
    wait(0);
    const ada = await register();
    const { id, secret } = await start(ada);
    const answer = await confirm(ada, id, totpCode(secret, ctx.clock.now(), steps));
    expect(answer.status, answer.text).toBe(status);
    if (status === 401) expect(answer.body.code).toBe('invalid_credentials');
    expect(await factorsOf(ada.id)).toBe(status === 200 ? 1 : 0);
  });

  it.each<[unknown, number]>([
    ['abcdef', 400],
    ['１２３４５６', 400],
    ['12345', 400],
    ['1234567', 400],
    ['', 400],
    [' '.repeat(17), 400],
    ['12345\u0000', 400],
    [['123456'], 400],
    [123456, 400],
    [null, 400],
    [{ $gt: '' }, 400],
  ])('is not confirmed by %j (M-05)', async (code, status) => {
    const ada = await register();
    const { id } = await start(ada);
    const answer = await ada.ask('POST', `/me/factors/totp/${id}/confirm`, { body: { code } });
    expect(answer.status, answer.text).toBe(status);
    expect(answer.text).not.toContain('１２');
    expect(await factorsOf(ada.id)).toBe(0);
  });

  it('takes a code with spaces', async () => {
    const ada = await register();
    const { id, secret } = await start(ada);
    const code = totpCode(secret, ctx.clock.now());
    const typed = ` ${code.slice(0, 3)} ${code.slice(3)} `;
    expect((await confirm(ada, id, typed)).status).toBe(200);
  });

  // M-09
  it('is confirmed by nobody else, and once', async () => {
    const [ada, eve] = [await register(), await register()];
    const { id, secret } = await start(ada);
    const code = totpCode(secret, ctx.clock.now());
    expect((await confirm(eve, id, code)).status).toBe(404);
    const answers = await Promise.all(Array.from({ length: 20 }, () => confirm(ada, id, code)));
    expect(statusesOf(answers)).toEqual([200, ...Array.from({ length: 19 }, () => 404)]);
    expect(await factorsOf(ada.id)).toBe(1);
    expect(await factorsOf(eve.id)).toBe(0);
    for (const method of ['PATCH', 'DELETE'])
      expect(
        (
          await eve.ask(method, `/me/factors/${id}`, {
            ...(method === 'PATCH' && { body: { name: 'mine' } }),
          })
        ).status,
      ).toBe(404);
  });

  it('may wait with two others; the oldest makes room (M-09)', async () => {
    const ada = await register();
    const all: { id: string; secret: string }[] = [];
    for (let i = 0; i < 50; i++) all.push(await start(ada));
    expect(await Factor.count({ where: { userId: ada.id } })).toBe(3);
    await Promise.all(Array.from({ length: 20 }, () => start(ada)));
    expect(await Factor.count({ where: { userId: ada.id } })).toBe(3);
    const { id, secret } = all[0]!;
    expect((await confirm(ada, id, totpCode(secret, ctx.clock.now()))).status).toBe(404);
  });

  it('is one of twenty at most, whoever is first', async () => {
    const ada = await register();
    await User.update({ factors: 18 }, { where: { id: ada.id } });
    await Session.update({ aal2At: new Date() }, { where: { userId: ada.id } });
    const waiting = [await start(ada), await start(ada), await start(ada)];
    const answers = await Promise.all(
      waiting.map(({ id, secret }) => confirm(ada, id, totpCode(secret, ctx.clock.now()))),
    );
    expect(statusesOf(answers)).toEqual([200, 200, 409]);
    expect(await factorsOf(ada.id)).toBe(20);
  });

  it('counts for nothing while it waits', async () => {
    const ada = await register();
    await start(ada);
    expect((await app.logIn(ada.username)).status).toBe(200);
    expect((await ada.ask('POST', '/me/factors/recovery-codes')).body.code).toBe('conflict');
  });
});

const changes: [method: string, path: (id: string) => string, body?: object][] = [
  ['POST', () => '/me/factors/totp', {}],
  ['POST', (id) => `/me/factors/totp/${id}/confirm`, { code: '123456' }],
  ['PATCH', (id) => `/me/factors/${id}`, { name: 'other' }],
  ['DELETE', (id) => `/me/factors/${id}`],
  ['POST', () => '/me/factors/recovery-codes'],
];
// M-08
describe.each(changes)('%s %s', (method, path, body) => {
  it('needs a sign-in in the last hour, and takes no API key and no password', async () => {
    const ada = await register();
    const { body: made } = await ada.ask('POST', '/me/api-keys', { body: { name: 'script' } });
    const { id } = await start(ada);
    const question = body ? { body } : {};
    const before = await Factor.findByPk(id);
    const key = { 'x-api-key': made.key as string };
    const byKey = await ask(method, path(id), { ...question, headers: key });
    expect([byKey.status, byKey.body.code]).toEqual([403, 'forbidden']);
    const pair = Buffer.from(`${ada.username}:${password}`).toString('base64');
    const authorization = `Basic ${pair}`;
    const byPassword = await ask(method, path(id), { ...question, headers: { authorization } });
    expect([byPassword.status, byPassword.body.code]).toEqual([403, 'step_up_required']);
    wait(61 * 60_000);
    const { body: fresh } = await ask('POST', '/auth/refresh', {
      body: { refreshToken: ada.tokens.refreshToken },
    });
    const old = await ask(method, path(id), { ...question, token: fresh.accessToken });
    expect([old.status, old.body.code]).toEqual([403, 'step_up_required']);
    expect((await Factor.findByPk(id))!.toJSON()).toEqual(before!.toJSON());
    expect(await factorsOf(ada.id)).toBe(0);
  });
});

describe('what is done to factors', () => {
  it('is mailed to the owner, and announced', async () => {
    const ada = await withAddress();
    const seen: string[] = [];
    const stops = (
      [
        'factor.added',
        'factor.renamed',
        'factor.removed',
        'recovery_codes.renewed',
        'recovery_code.used',
      ] as const
    ).map((name) => auth.on(name, (event) => void (event.userId === ada.id && seen.push(name))));
    const next = async () => (await mailbox.next(ada.email)).subject;
    const { factorId: id, recoveryCodes } = await addApp(ctx, ada);
    expect(await next()).toBe('A second factor was added');
    await ada.ask('PATCH', `/me/factors/${id}`, { body: { name: 'my phone' } });
    expect(await next()).toBe('A second factor was renamed');
    const { mfaToken } = (await app.logIn(ada.email)).body;
    await ask('POST', '/auth/mfa', { body: { mfaToken, recoveryCode: recoveryCodes[0] } });
    const used = await mailbox.next(ada.email);
    expect(used.subject).toBe('A recovery code was used');
    expect(used.text).toContain('Codes left: 9');
    await ada.ask('POST', '/me/factors/recovery-codes');
    expect(await next()).toBe('You have new recovery codes');
    await ada.ask('DELETE', `/me/factors/${id}`);
    expect(await next()).toBe('A second factor was removed');
    expect(seen).toEqual([
      'factor.added',
      'factor.renamed',
      'recovery_code.used',
      'recovery_codes.renewed',
      'factor.removed',
    ]);
    for (const stop of stops) stop();
  });

  it('to rename one to the name that it has changes nothing, and is told to nobody', async () => {
    const ada = await withAddress();
    const { factorId: id } = await addApp(ctx, ada);
    const mails = await app.OutgoingMail.count();
    const { status, body } = await ada.ask('PATCH', `/me/factors/${id}`, {
      body: { name: 'Authenticator app' },
    });
    expect([status, body.name]).toEqual([200, 'Authenticator app']);
    expect(await app.OutgoingMail.count()).toBeLessThanOrEqual(mails);
    for (const name of ['', ' ', 'x'.repeat(65), 'a\u0000b', 'a\u202eb'])
      expect((await ada.ask('PATCH', `/me/factors/${id}`, { body: { name } })).status).toBe(400);
  });

  it('the last one takes the recovery codes with it, and is asked for no more', async () => {
    const ada = await register();
    const [one, two] = [await addApp(ctx, ada), await addApp(ctx, ada)];
    const answers = await Promise.all(
      [one, one, one].map(({ factorId: id }) => ada.ask('DELETE', `/me/factors/${id}`)),
    );
    expect(statusesOf(answers)).toEqual([204, 404, 404]);
    expect(await factorsOf(ada.id)).toBe(1);
    expect(await RecoveryCode.count({ where: { userId: ada.id } })).toBe(10);
    expect((await app.logIn(ada.username)).body.code).toBe('mfa_required');
    expect((await ada.ask('DELETE', `/me/factors/${two.factorId}`)).status).toBe(204);
    expect(await factorsOf(ada.id)).toBe(0);
    expect(await RecoveryCode.count({ where: { userId: ada.id } })).toBe(0);
    expect((await app.logIn(ada.username)).status).toBe(200);
  });

  it('of two at once, each is counted', async () => {
    const ada = await register();
    const made = [await addApp(ctx, ada), await addApp(ctx, ada), await addApp(ctx, ada)];
    await Promise.all(made.map(({ factorId: id }) => ada.ask('DELETE', `/me/factors/${id}`)));
    expect(await factorsOf(ada.id)).toBe(0);
    expect(await Factor.count({ where: { userId: ada.id } })).toBe(0);
  });

  it('goes with the user', async () => {
    const ada = await register();
    await addApp(ctx, ada);
    await app.logIn(ada.username);
    await auth.users.delete(ada.id);
    for (const table of [Factor, RecoveryCode, OneTimeToken])
      expect(await (table as typeof Factor).count({ where: { userId: ada.id } })).toBe(0);
  });
});

it('a secret is encrypted again under a new APP_SECRET, and opens on', async () => {
  const ada = await register();
  const { factorId: id, code } = await addApp(ctx, ada);
  const before = (await Factor.findByPk(id))!.secret;
  const renewed = { ...env, APP_SECRET: testSecret(), APP_SECRET_PREVIOUS: env.APP_SECRET };
  const { ctx: other } = await node(renewed);
  await tendKeys(other);
  await sealFactorsAgain(other);
  const after = (await Factor.findByPk(id))!.secret;
  expect(after).not.toBe(before);
  await sealFactorsAgain(other);
  expect((await Factor.findByPk(id))!.secret).toBe(after);
  const { APP_SECRET_PREVIOUS: _gone, ...last } = renewed;
  const third = await startApp(last);
  const { body } = await third.logIn(ada.username);
  const answer = await third.ask('POST', '/auth/mfa', {
    body: { mfaToken: body.mfaToken, code: code() },
  });
  expect(answer.status, answer.text).toBe(200);
});
