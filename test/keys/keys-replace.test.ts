import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keyOf, signingKey } from '#src/keys/keyring';
import { replaceKeys, rotateKeys, tendKeys } from '#src/keys/rotation';
import { startApp } from '#test/support/app';
import { read } from '#test/support/forge';
import { node } from '#test/support/node';

const { ctx, ask, env, register, logIn, Session, SigningKey } = await startApp();

beforeEach(async () => {
  await SigningKey.destroy({ where: {} });
  await tendKeys(ctx);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const shown = async () =>
  (await ask('GET', '/.well-known/jwks.json')).body.keys.map(
    ({ kid }: { kid: string }) => kid,
  ) as string[];
const stored = async () =>
  (await SigningKey.findAll({ order: ['sequence'] })).map(({ kid }) => kid);
const kidOf = (token: string) => read(token).header['kid'];
const status = async (token: string) => (await ask('GET', '/me', { token })).status;
/** `keys rotate --now` in another process. The running one follows within half a minute. */
async function replace(): Promise<void> {
  await replaceKeys(ctx);
  await tendKeys(ctx);
}

describe('keys that are replaced', () => {
  it('refuses everything signed so far, used before or not, and shows the new key only', async () => {
    const [ada, bob] = [await register(), await register()];
    expect(await status(ada.token)).toBe(200);
    const former = signingKey(ctx).kid;
    await replace();
    for (const { token } of [ada, bob])
      expect((await ask('GET', '/me', { token })).body.code).toBe('token_expired');
    expect(keyOf(ctx, former)).toBeUndefined();
    expect(await stored()).toEqual([signingKey(ctx).kid]);
    expect(await shown()).toEqual([signingKey(ctx).kid]);
    expect(kidOf((await register()).token)).toBe(signingKey(ctx).kid);
  });

  it('sign nobody out: every refresh token goes on, and no session has ended', async () => {
    const users = [await register(), await register(), await register()];
    const before = await Session.count({ where: { endedAt: null } });
    await replace();
    for (const { id, tokens } of users) {
      const { status: code, body } = await ask('POST', '/auth/refresh', {
        body: { refreshToken: tokens.refreshToken },
      });
      expect([code, body.user?.id, body.session?.id]).toEqual([200, id, tokens.session.id]);
      expect(kidOf(body.accessToken)).toBe(signingKey(ctx).kid);
      expect(await status(body.accessToken)).toBe(200);
    }
    expect(await Session.count({ where: { endedAt: null } })).toBe(before);
    expect((await logIn(users[0]!.username)).status).toBe(200);
  });

  it('tells a client that holds a token of theirs to refresh', async () => {
    const { token } = await register();
    await replace();
    expect((await ask('GET', '/me', { token })).body.action).toBe('refresh');
  });

  it('are gone also when they waited, had signed before, or belong to another algorithm', async () => {
    const start = Date.now();
    vi.useFakeTimers({ toFake: ['Date'] });
    const { ctx: other } = await node({ ...env, JWT_ALG: 'RS256' });
    await tendKeys(other);
    await rotateKeys(ctx);
    vi.setSystemTime(start + 400_000);
    await rotateKeys(ctx);
    expect(await SigningKey.findAll({ order: ['algorithm', 'sequence'] })).toMatchObject([
      { algorithm: 'ES256', sequence: 0 },
      { algorithm: 'ES256', sequence: 1 },
      { algorithm: 'ES256', sequence: 2 },
      { algorithm: 'RS256', sequence: 0 },
    ]);
    await replace();
    expect(await SigningKey.findAll()).toMatchObject([
      { algorithm: 'ES256', sequence: 3, kid: signingKey(ctx).kid },
    ]);
    expect(await shown()).toHaveLength(1);
    expect(keyOf(ctx, signingKey(other).kid)).toBeUndefined();
  });

  it('can be replaced again and then rotated as ever', async () => {
    await replace();
    const first = signingKey(ctx).kid;
    await replace();
    const second = signingKey(ctx).kid;
    expect(second).not.toBe(first);
    const { row } = await rotateKeys(ctx);
    await tendKeys(ctx);
    expect(await stored()).toEqual([second, row.kid]);
    expect(signingKey(ctx).kid).toBe(second);
  });

  it('are replaced where there are none yet', async () => {
    await SigningKey.destroy({ where: {} });
    await replace();
    expect(await stored()).toEqual([signingKey(ctx).kid]);
  });

  it('stay as they were when the database undoes it', async () => {
    const before = await stored();
    vi.spyOn(SigningKey, 'destroy').mockRejectedValueOnce(new Error('no'));
    await expect(replaceKeys(ctx)).rejects.toThrow('no');
    expect(await stored()).toEqual(before);
  });
});
