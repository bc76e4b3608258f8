import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { signingKey } from '#src/keys/keyring';
import { tendKeys } from '#src/keys/rotation';
import { startApp, testSecret } from '#test/support/app';
import { commandLine } from '#test/support/command';
import { read } from '#test/support/forge';
import { runProcess, settingsFor } from '#test/support/process';

const { ctx, ask, databaseUrl, env, register, SigningKey } = await startApp();
const run = commandLine(env);

beforeEach(async () => {
  await SigningKey.destroy({ where: {} });
  await tendKeys(ctx);
});
afterEach(() => void vi.useRealTimers());

/** Runs a command, and answers what it printed. */
async function cli(line: string): Promise<string> {
  const { code, stdout, stderr } = await run(line);
  expect([code, stderr], line).toEqual([0, '']);
  return stdout;
}
const listed = async () =>
  (await cli('keys list'))
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(/ {2,}/));
const iso = (ms: number) => new Date(ms).toISOString();
const kidOf = (token: string) => read(token).header['kid'];
const ROTATED = /^([\w-]{43}) signs from (\d{4}-\d\d-\d\dT[\d:.]+Z) on\.\n$/;
/** Stops the clock at a whole second, over one key that is made now. */
async function freeze(): Promise<number> {
  const start = Math.floor(Date.now() / 1000) * 1000;
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(start);
  await SigningKey.destroy({ where: {} });
  await tendKeys(ctx);
  return start;
}

describe('keys list', () => {
  it('says of each key what it does, from when and until when', async () => {
    const start = await freeze();
    const first = signingKey(ctx).kid;
    expect(await listed()).toEqual([[first, 'ES256', 'active', iso(start), '-']]);
    const second = ROTATED.exec(await cli('keys rotate'))![1]!;
    const [begins, gone] = [start + 300_000, start + 300_000 + 660_000];
    const rows = (before: string, after: string) => [
      [first, 'ES256', before, iso(start), iso(gone)],
      [second, 'ES256', after, iso(begins), '-'],
    ];
    for (const [ms, before, after] of [
      [start, 'active', 'pending'],
      [begins - 1, 'active', 'pending'],
      [begins, 'retiring', 'active'],
      [gone - 1, 'retiring', 'active'],
      [gone, 'gone', 'active'],
    ] as const) {
      vi.setSystemTime(ms);
      expect(await listed()).toEqual(rows(before, after));
    }
    await tendKeys(ctx);
    expect(await listed()).toEqual([[second, 'ES256', 'active', iso(start), '-']]);
  });

  it('prints nothing where there is no key, and nothing secret where there is one', async () => {
    const text = await cli('keys list');
    const row = (await SigningKey.findOne())!;
    for (const canary of [
      row.sealedPrivateKey,
      signingKey(ctx).signWith.export({ format: 'jwk' }).d!,
    ])
      expect(text).not.toContain(canary);
    await SigningKey.destroy({ where: {} });
    expect(await cli('keys list')).toBe('KEY  ALGORITHM  STATE  SIGNS FROM  GONE FROM\n');
  });
});

describe('keys rotate', () => {
  it('names the next key and when it begins, and the same again while that waits', async () => {
    const start = await freeze();
    const said = await cli('keys rotate');
    const [, kid, from] = ROTATED.exec(said)!;
    expect(from).toBe(iso(start + 300_000));
    vi.setSystemTime(start + 299_999);
    expect(await cli('keys rotate')).toBe(said);
    expect(await SigningKey.count()).toBe(2);
    vi.setSystemTime(start + 300_000);
    const [, third] = ROTATED.exec(await cli('keys rotate'))!;
    expect(third).not.toBe(kid);
    expect(await SigningKey.count()).toBe(3);
  });

  it('is noticed by nobody while the server runs', async () => {
    const start = await freeze();
    const ada = await register();
    const [, kid] = ROTATED.exec(await cli('keys rotate'))!;
    await tendKeys(ctx);
    expect((await ask('GET', '/.well-known/jwks.json')).body.keys).toMatchObject([
      { kid: kidOf(ada.token) },
      { kid },
    ]);
    vi.setSystemTime(start + 300_000);
    expect((await ada.ask('GET', '/me')).status).toBe(200);
    expect(kidOf((await register()).token)).toBe(kid);
  });
});

describe('keys rotate --now', () => {
  it('refuses at once what the others signed, and leaves every session as it is', async () => {
    const ada = await register();
    await cli('keys rotate');
    expect(await cli('keys rotate --now')).toBe(
      'A new key signs from now on. Running servers follow within half a minute, other services within five.\n',
    );
    const [only, ...others] = await listed();
    expect(others).toEqual([]);
    expect(only).toEqual([
      expect.stringMatching(/^[\w-]{43}$/),
      'ES256',
      'active',
      expect.any(String),
      '-',
    ]);
    await tendKeys(ctx);
    expect(signingKey(ctx).kid).toBe(only![0]);
    expect((await ada.ask('GET', '/me')).body.code).toBe('token_expired');
    const { status, body } = await ask('POST', '/auth/refresh', {
      body: { refreshToken: ada.tokens.refreshToken },
    });
    expect(status).toBe(200);
    expect((await ask('GET', '/me', { token: body.accessToken })).body.id).toBe(ada.id);
  });
});

describe('in a process of its own', () => {
  const process = async (line: string, more: object = {}) =>
    runProcess('cli', settingsFor(databaseUrl, { APP_SECRET: env.APP_SECRET, ...more }), {
      args: line.split(' '),
    });

  it('rotates, lists, and says no in one sentence', async () => {
    const JWT_SECRET = testSecret();
    const shared = { JWT_ALG: 'HS256', JWT_SECRET };
    const before = signingKey(ctx).kid;
    const refused = await Promise.all([
      process('keys rotate', shared),
      process('keys rotate --now', shared),
    ]);
    for (const { code, stdout, stderr } of refused)
      expect({ code, stdout, stderr }).toEqual({
        code: 1,
        stdout: '',
        stderr: 'With JWT_ALG=HS256 the key is JWT_SECRET: set another one.\n',
      });
    expect((await listed()).map(([kid]) => kid)).toEqual([before]);
    const { code, stdout, stderr } = await process('keys rotate');
    expect([code, stderr]).toEqual([0, '']);
    expect((await listed()).map(([kid]) => kid)).toEqual([before, ROTATED.exec(stdout)![1]]);
  });
});
