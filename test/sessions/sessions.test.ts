import { describe, expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { jsonRequest, rawRequest } from '#test/support/raw-socket';
import { IN, OUT, worth, type Tokens } from '#test/support/worth';

const { ctx, ask, auth, url, register, logIn, unusedName, Session, User } = await startApp();

it('lets a new user in and answers who they are', async () => {
  const ada = await register();
  const { status, body } = await ada.ask('GET', '/me');
  expect(status).toBe(200);
  expect(body).toEqual({ ...ada.tokens.user, locale: null, permissions: [], actor: null });
  expect((await logIn(ada.username)).status).toBe(200);
  expect((await ask('GET', '/me')).body).toMatchObject({ code: 'token_missing' });
});

describe('a device that says what it is', async () => {
  const grace = await register();
  const enter = (device: unknown) => [
    ask('POST', '/auth/register', { body: { username: unusedName(), password, device } }),
    ask('POST', '/auth/login', { body: { username: grace.username, password, device } }),
  ];

  it.each([
    ['a text', 'phone'],
    ['null', null],
    ['a list', [{ kind: 'web' }]],
    ['a kind that is null', { kind: null }],
    ['a name that is a number', { name: 1 }],
    ['a platform that is an object', { platform: { name: 'iOS' } }],
    ['an address', { kind: 'web', ip: '203.0.113.7' }],
    ['a user agent', { userAgent: 'curl' }],
  ])('is refused when that is %s, and nothing begins', async (_what, device) => {
    const before = [await User.count(), await Session.count()];
    for (const answer of await Promise.all(enter(device))) {
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
      for (const { pointer } of answer.body.errors) expect(pointer).toMatch(/^\/device/);
    }
    expect([await User.count(), await Session.count()]).toEqual(before);
  });

  it.each([
    [{}, { kind: null, name: null, platform: null }],
    [{ kind: 'web' }, { kind: 'web', name: null, platform: null }],
    [{ kind: 'desktop', name: 'x'.repeat(64), platform: 'y'.repeat(32) }, undefined],
    [{ kind: 'mobile', name: 'Ada’s 📱 <b>phone</b>', platform: "iOS'; --" }, undefined],
    [{ kind: 'other', name: 'تلفون', platform: '冷蔵庫' }, undefined],
    // Nobody is refused for the name of a phone.
    [{ kind: 'fridge' }, { kind: null, name: null, platform: null }],
    [{ kind: 'Mobile' }, { kind: null, name: null, platform: null }],
    [{ name: '' }, { kind: null, name: null, platform: null }],
    [{ name: '   ' }, { kind: null, name: null, platform: null }],
    [{ name: 'x'.repeat(65) }, { kind: null, name: 'x'.repeat(64), platform: null }],
    [{ name: `${'x'.repeat(63)}📱` }, { kind: null, name: 'x'.repeat(63), platform: null }],
    [{ name: 'Ada\nphone' }, { kind: null, name: null, platform: null }],
    [{ name: 'phone \u202egnp' }, { kind: null, name: null, platform: null }],
    [{ platform: '' }, { kind: null, name: null, platform: null }],
    [{ platform: 'x'.repeat(33) }, { kind: null, name: null, platform: 'x'.repeat(32) }],
    [{ platform: 'iOS\0' }, { kind: null, name: null, platform: null }],
  ])('is known by it: %j', async (device, known) => {
    for (const { status, body } of await Promise.all(enter(device))) {
      expect([200, 201]).toContain(status);
      const { data } = (await ask('GET', '/me/sessions', { token: body.accessToken })).body;
      expect(data.find(({ current }: { current: boolean }) => current).device).toEqual(
        known ?? device,
      );
    }
  });
});

describe('a device that says nothing', () => {
  const chrome = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0';
  const known = async (headers: Record<string, string>, device?: object) => {
    const { body } = await ask('POST', '/auth/register', {
      headers,
      body: { username: unusedName(), password, device },
    });
    return (await ask('GET', '/me/sessions', { token: body.accessToken })).body.data[0].device;
  };

  it.each([
    [
      'Firefox on Linux',
      'Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0',
      'Firefox on Linux',
      'Linux',
    ],
    [
      'Safari on an iPhone',
      'Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1',
      'Safari on iOS',
      'iOS',
    ],
    [
      'Chrome on Android',
      `Mozilla/5.0 (Linux; Android 14; Pixel 8) ${chrome} Mobile Safari/537.36`,
      'Chrome on Android',
      'Android',
    ],
    [
      'Chrome on Windows',
      `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${chrome} Safari/537.36`,
      'Chrome on Windows',
      'Windows',
    ],
    ['curl', 'curl/8.5.0', null, null],
    ['an empty one', '', null, null],
    ['10 kB of nonsense', 'nonsense '.repeat(1100), null, null],
    ['10 kB of slashes', 'a/'.repeat(5000), null, null],
  ])('is known by its user agent: %s', async (_what, agent, name, platform) => {
    expect(await known({ 'user-agent': agent })).toEqual({ kind: null, name, platform });
  });

  it('and sends no user agent is not known at all', async () => {
    const username = unusedName();
    const { answers } = await rawRequest(
      url,
      jsonRequest('POST', '/auth/register', JSON.stringify({ username, password })),
    );
    expect(answers.map(({ status }) => status)).toEqual([201]);
    const { body } = await logIn(username);
    const { data } = (await ask('GET', '/me/sessions', { token: body.accessToken })).body;
    expect(data[1].device).toEqual({ kind: null, name: null, platform: null });
  });

  it('but its name, is known by that, and by its user agent for the rest', async () => {
    const agent = `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${chrome} Safari/537.36`;
    expect(await known({ 'user-agent': agent }, { name: 'Desk' })).toEqual({
      kind: null,
      name: 'Desk',
      platform: 'Windows',
    });
    expect(await known({ 'user-agent': agent }, { platform: 'Wine' })).toEqual({
      kind: null,
      name: 'Chrome on Windows',
      platform: 'Wine',
    });
  });

  it.each([
    '<script>alert(1)</script>/1.0 (x)',
    "'; DROP TABLE sessions; --/1 (",
    '__proto__/1 ',
    'constructor/1 ',
    '%s%n%x ${7*7} {{7*7}}',
    '\u00e9t\u00e9/1 ',
  ])('but harm does none: %s', async (agent) => {
    const { kind, name, platform } = await known({ 'user-agent': agent });
    expect([kind, platform]).toEqual([null, null]);
    if (name !== null) expect(agent.startsWith(name)).toBe(true);
    expect(await Session.count()).toBeGreaterThan(0);
  });

  it.each([
    ['control characters', '\u009b31m\u0085x/1 (x)'],
    ['more than 64 characters', `${'x'.repeat(200)}/1 (x)`],
  ])('is never shown with %s', async (_what, agent) => {
    const { name } = await known({ 'user-agent': agent });
    // eslint-disable-next-line no-control-regex -- they are what is looked for
    expect(name ?? '').toMatch(/^[^\u0000-\u001f\u007f-\u009f]{0,64}$/);
  });
});

describe('a user who is disabled', () => {
  it('is out everywhere for good: to be enabled brings no session back (V-08)', async () => {
    const ada = await register();
    const held = [ada.tokens as Tokens, (await logIn(ada.username)).body as Tokens];
    const events: unknown[] = [];
    const stop = ctx.events.on('session.ended', (event) => events.push(event));
    await auth.users.disable(ada.id);
    await auth.users.disable(ada.id);
    stop();
    expect(events).toHaveLength(2);
    for (const { session } of held)
      expect(events).toContainEqual({
        userId: ada.id,
        sessionId: session.id,
        why: 'user_disabled',
      });
    for (const tokens of held) expect(await worth(ask, tokens)).toBe('user_disabled, revoked');
    expect((await logIn(ada.username)).body.code).toBe('invalid_credentials');
    await auth.users.enable(ada.id);
    for (const tokens of held) expect(await worth(ask, tokens)).toBe(OUT);
    const { body } = await logIn(ada.username);
    expect(await worth(ask, body)).toBe(IN);
    expect((await ask('GET', '/me/sessions', { token: body.accessToken })).body.data).toHaveLength(
      1,
    );
  });
});
