import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keyOf, publicKeys, signingKey } from '#src/keys/keyring';
import { rotateKeys, tendKeys } from '#src/keys/rotation';
import { startApp } from '#test/support/app';
import { ecdsa, forge, read } from '#test/support/forge';
import { node } from '#test/support/node';
import { rounds } from '#test/support/rounds';

const { ctx, ask, env, register, SigningKey } = await startApp();

const SECOND = 1000;
const DAY = 24 * 3600 * SECOND;
const TTL = 600 * SECOND;
const SHOWN = 300 * SECOND;
const SKEW = 60 * SECOND;

let start: number;
/** So long after the first key was made, by the clock of the server: that of the database. */
const at = (ms: number) => vi.setSystemTime(Date.now() + start + ms - ctx.clock.now());
/** A database without keys, at whose whole second `start` the first one is made. */
beforeEach(async () => {
  await SigningKey.destroy({ where: {} });
  start = Math.ceil(Date.now() / SECOND) * SECOND;
  vi.useFakeTimers({ toFake: ['Date'] });
  at(0);
  await tendKeys(ctx);
});
afterEach(() => void vi.useRealTimers());

const shown = async () =>
  (await ask('GET', '/.well-known/jwks.json')).body.keys.map(
    ({ kid }: { kid: string }) => kid,
  ) as string[];
const stored = async () =>
  (await SigningKey.findAll({ order: ['sequence'] })).map(({ kid }) => kid);
const kidOf = (token: string) => read(token).header['kid'];
const current = () => signingKey(ctx).kid;
async function answer(token: string): Promise<string> {
  const { status, body } = await ask('GET', '/me', { token });
  return status === 200 ? 'let in' : body.code;
}
/** As `keys rotate` does in another process, and the running one half a minute later at most. */
async function rotate(): Promise<string> {
  const { row } = await rotateKeys(ctx);
  await tendKeys(ctx);
  return row.kid;
}
async function refreshed(
  refreshToken: string,
): Promise<{ accessToken: string; refreshToken: string }> {
  const { status, body, text } = await ask('POST', '/auth/refresh', { body: { refreshToken } });
  expect(status, text).toBe(200);
  return body;
}
/** The events `key.made` of a test. */
function made(): string[] {
  const kids: string[] = [];
  stopListening = ctx.events.on('key.made', ({ kid }) => void kids.push(kid));
  return kids;
}
let stopListening = () => {};
afterEach(() => stopListening());

describe('a rotated key', () => {
  it('is shown at once, signs after five minutes, and makes the one before it retire and go', async () => {
    const first = current();
    const { signWith } = signingKey(ctx);
    const second = await rotate();
    expect(await shown()).toEqual([first, second]);
    expect(current()).toBe(first);

    at(SHOWN - 1);
    expect(kidOf((await register()).token)).toBe(first);
    at(SHOWN);
    expect(kidOf((await register()).token)).toBe(second);
    expect(await shown()).toEqual([first, second]);

    const gone = SHOWN + TTL + SKEW;
    const { token } = await register();
    const { claims, header } = read(token);
    const later = { iat: Number(claims['iat']) + 300, exp: Number(claims['exp']) + 300 };
    const lasting = forge({ ...header, kid: first }, { ...claims, ...later }, ecdsa(signWith));
    at(gone - 1);
    await tendKeys(ctx);
    expect(await answer(lasting)).toBe('let in');
    expect(await shown()).toEqual([first, second]);
    expect(await stored()).toEqual([first, second]);

    at(gone);
    expect(await answer(lasting)).toBe('token_expired');
    expect(keyOf(ctx, first)).toBeUndefined();
    expect(await shown()).toEqual([second]);
    await tendKeys(ctx);
    expect(await stored()).toEqual([second]);
    expect(await answer(lasting)).toBe('token_expired');
    expect(current()).toBe(second);
  });

  it('leaves the tokens of the one before good until they expire, to the second, used before or not', async () => {
    const second = await rotate();
    at(SHOWN - 1);
    const [ada, bob] = [await register(), await register()];
    const end = Number(read(ada.token).claims['exp']) * SECOND - start;
    expect(end).toBe(SHOWN - SECOND + TTL);
    expect(await answer(ada.token)).toBe('let in');
    at(SHOWN);
    await tendKeys(ctx);
    expect(current()).toBe(second);
    expect(await answer(ada.token)).toBe('let in');
    at(end - 1);
    await tendKeys(ctx);
    expect([await answer(ada.token), await answer(bob.token)]).toEqual(['let in', 'let in']);
    at(end);
    expect([await answer(ada.token), await answer(bob.token)]).toEqual([
      'token_expired',
      'token_expired',
    ]);
  });

  it('sends nobody to sign in who comes back when the key of their token has gone', async () => {
    const { token, tokens } = await register();
    await rotate();
    at(DAY);
    await tendKeys(ctx);
    const { status, body } = await ask('GET', '/me', { token });
    expect(await answer((await refreshed(tokens.refreshToken)).accessToken)).toBe('let in');
    expect([status, body.action]).toEqual([401, 'refresh']);
  });

  it('is not made twice: who asks again gets the one that waits', async () => {
    const second = await rotate();
    expect(await rotate()).toBe(second);
    at(SHOWN - 1);
    const { row, signsFrom } = await rotateKeys(ctx);
    expect([row.kid, signsFrom]).toEqual([second, start + SHOWN]);
    expect(await stored()).toHaveLength(2);
    at(SHOWN);
    expect(await rotate()).not.toBe(second);
    expect(await stored()).toHaveLength(3);
  });
});

describe('without anybody asking', () => {
  it('a key is followed after 30 days, and not before', async () => {
    const first = current();
    for (const ms of [DAY, 29 * DAY, 30 * DAY]) {
      at(ms);
      await tendKeys(ctx);
      expect(await stored()).toEqual([first]);
    }
    at(30 * DAY + 1);
    await tendKeys(ctx);
    const [, second] = await stored();
    expect(second).toBeDefined();
    expect(await shown()).toEqual([first, second]);
    for (const [ms, signs] of [
      [1, first],
      [SHOWN, first],
      [SHOWN + 1, second],
    ] as const) {
      at(30 * DAY + ms);
      await tendKeys(ctx);
      expect(current()).toBe(signs);
    }
    expect(await stored()).toHaveLength(2);
  });

  it('two months pass without a restart, and a session that is refreshed every few days lasts through them', async () => {
    const news = made();
    const { token, tokens } = await register();
    const signers = new Set([kidOf(token)]);
    let held: { accessToken: string; refreshToken: string } = tokens;
    for (let day = rounds(3, 1); day <= 69; day += rounds(3, 1)) {
      at(day * DAY);
      await tendKeys(ctx);
      held = await refreshed(held.refreshToken);
      at(day * DAY + TTL - 1);
      await tendKeys(ctx);
      expect(await answer(held.accessToken)).toBe('let in');
      expect((await stored()).length).toBeLessThanOrEqual(2);
      signers.add(kidOf(held.accessToken));
    }
    expect(news).toHaveLength(2);
    expect([...signers].slice(1)).toEqual(news);
    expect(await stored()).toEqual([news[1]]);
    expect(await shown()).toEqual([news[1]]);
  });

  it('a server that was off for 60 days makes one key, shows it for five minutes and signs meanwhile with the old one', async () => {
    const first = current();
    at(60 * DAY);
    for (const _node of ['first', 'second']) {
      const started = { ...(await node(env)).ctx, clock: ctx.clock };
      await tendKeys(started);
      expect(signingKey(started).kid).toBe(first);
      expect(publicKeys(started)).toHaveLength(2);
    }
    await tendKeys(ctx);
    const [, second] = await stored();
    const { token } = await register();
    expect(kidOf(token)).toBe(first);
    at(60 * DAY + SHOWN);
    expect(current()).toBe(second);
    expect(await answer(token)).toBe('let in');
    at(60 * DAY + SHOWN + TTL + SKEW);
    await tendKeys(ctx);
    expect(await stored()).toEqual([second]);
  });
});

it('signs nobody out in ten rotations: every token is good until it expires, every refresh goes on', async () => {
  const mobile = await register({ device: { kind: 'mobile' } });
  const everything: string[] = [mobile.token];
  const signers = new Set<unknown>();
  let held: { accessToken: string; refreshToken: string } = mobile.tokens;
  for (let round = 1; round <= 10; round++) {
    signers.add(kidOf(held.accessToken));
    await rotate();
    at(round * SHOWN);
    held = await refreshed(held.refreshToken);
    everything.push(held.accessToken);
    if (round % 2) await tendKeys(ctx);
    for (const token of everything) {
      const expired = Number(read(token).claims['exp']) * SECOND <= ctx.clock.now();
      if (!expired) expect(await answer(token)).toBe('let in');
      else expect(await answer(token)).not.toBe('let in');
    }
  }
  expect(signers.size).toBe(10);
  expect(await ask('GET', '/me/sessions', { token: held.accessToken })).toMatchObject({
    body: { data: [{ current: true }] },
  });
});
