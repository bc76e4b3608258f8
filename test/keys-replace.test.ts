import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startApp } from '#test/support/app';
import { read } from '#test/support/forge';
import { node } from '#test/support/node';

const { ask, register, logIn, Session, SigningKey } = await startApp();
const keys = { ...(await import('#src/keys/keys')), ...(await import('#src/keys/rotation')) };

beforeEach(async () => {
  await SigningKey.destroy({ where: {} });
  await keys.tendKeys();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const shown = async () => (await ask('GET', '/.well-known/jwks.json')).body.keys.map(({ kid }: { kid: string }) => kid) as string[];
const stored = async () => (await SigningKey.findAll({ order: ['sequence'] })).map(({ kid }) => kid);
const kidOf = (token: string) => read(token).header['kid'];
const status = async (token: string) => (await ask('GET', '/me', { token })).status;
/** As `keys rotate --now` does in another process, and the running one half a minute later at most. */
async function replace(): Promise<void> {
  await keys.replaceKeys();
  await keys.tendKeys();
}

describe('keys that are replaced', () => {
  it('refuses everything signed so far, used before or not, and shows the new key only', async () => {
    const [ada, bob] = [await register(), await register()];
    expect(await status(ada.token)).toBe(200);
    const former = keys.signingKey().kid;
    await replace();
    for (const { token } of [ada, bob]) expect((await ask('GET', '/me', { token })).body.code).toBe('token_expired');
    expect(keys.keyOf(former)).toBeUndefined();
    expect(await stored()).toEqual([keys.signingKey().kid]);
    expect(await shown()).toEqual([keys.signingKey().kid]);
    expect(kidOf((await register()).token)).toBe(keys.signingKey().kid);
  });

  it('sign nobody out: every refresh token goes on, and no session has ended', async () => {
    const users = [await register(), await register(), await register()];
    const before = await Session.count({ where: { endedAt: null } });
    await replace();
    for (const { id, tokens } of users) {
      const { status: code, body } = await ask('POST', '/auth/refresh', { body: { refreshToken: tokens.refreshToken } });
      expect([code, body.user?.id, body.session?.id]).toEqual([200, id, tokens.session.id]);
      expect(kidOf(body.accessToken)).toBe(keys.signingKey().kid);
      expect(await status(body.accessToken)).toBe(200);
    }
    expect(await Session.count({ where: { endedAt: null } })).toBe(before);
    expect((await logIn(users[0]!.username)).status).toBe(200);
  });

  it('tells whoever holds a token of theirs to refresh', async () => {
    const { token } = await register();
    await replace();
    expect((await ask('GET', '/me', { token })).body.action).toBe('refresh');
  });

  it('are gone also when they waited, had signed before, or belong to another algorithm', async () => {
    const start = Date.now();
    vi.useFakeTimers({ toFake: ['Date'] });
    const other = await node({ JWT_ALG: 'RS256' });
    await other.tendKeys();
    await keys.rotateKeys();
    vi.setSystemTime(start + 400_000);
    await keys.rotateKeys();
    expect(await SigningKey.findAll({ order: ['algorithm', 'sequence'] })).toMatchObject([
      { algorithm: 'ES256', sequence: 0 },
      { algorithm: 'ES256', sequence: 1 },
      { algorithm: 'ES256', sequence: 2 },
      { algorithm: 'RS256', sequence: 0 },
    ]);
    await replace();
    expect(await SigningKey.findAll()).toMatchObject([{ algorithm: 'ES256', sequence: 3, kid: keys.signingKey().kid }]);
    expect(await shown()).toHaveLength(1);
    expect(keys.keyOf(other.signingKey().kid)).toBeUndefined();
  });

  it('can be replaced again and then rotated as ever', async () => {
    await replace();
    const first = keys.signingKey().kid;
    await replace();
    const second = keys.signingKey().kid;
    expect(second).not.toBe(first);
    const { row } = await keys.rotateKeys();
    await keys.tendKeys();
    expect(await stored()).toEqual([second, row.kid]);
    expect(keys.signingKey().kid).toBe(second);
  });

  it('are replaced where there are none yet', async () => {
    await SigningKey.destroy({ where: {} });
    await replace();
    expect(await stored()).toEqual([keys.signingKey().kid]);
  });

  it('stay as they were when the database undoes it', async () => {
    const before = await stored();
    vi.spyOn(SigningKey, 'destroy').mockRejectedValueOnce(new Error('no'));
    await expect(keys.replaceKeys()).rejects.toThrow('no');
    expect(await stored()).toEqual(before);
  });
});
