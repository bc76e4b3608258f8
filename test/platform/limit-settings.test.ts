import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseSettings, settingsFrom } from '#src/platform/settings/read';
import { SettingsSchema } from '#src/platform/settings/schema';
import { SettingsError } from '#src/platform/settings/settings-error';
import { wait } from '#test/support/clock';
import { startLimited, statuses, times } from '#test/support/limited';

const names = Object.keys(SettingsSchema.shape).filter((name) => name.startsWith('LIMIT_'));
const mistakesIn = (env: Record<string, string>): readonly string[] => {
  try {
    parseSettings(settingsFrom(env));
    return [];
  } catch (error) {
    return (error as SettingsError).mistakes;
  }
};

afterEach(() => {
  vi.useRealTimers();
});

describe('a setting of a limit', () => {
  it.each(names)('%s refuses what is none, and says what it should look like', (name) => {
    for (const text of [
      '0',
      '30',
      '0/1m',
      '30/0m',
      '30/1x',
      '-1/1m',
      '1e3/1m',
      '30 / 1m',
      '30/1m,',
      '30/1m,40/60s',
      '30/8d',
      '9999999999/1m',
      'off',
      '15m-1s',
      '1s-15m-1h',
    ]) {
      const mistakes = mistakesIn({ [name]: text });
      expect(mistakes, text).toHaveLength(1);
      expect(mistakes[0]).toMatch(new RegExp(`^${name} must be .*such as`));
    }
  });

  it('is a number of times in a window, or several', () => {
    const settings = parseSettings({
      limitSignInsPerNetwork: '5/90s, 100/12h,300/7d',
      limitLoginFailuresPause: '2s-1h',
      limitLoginFailuresForget: '1d',
    });
    expect(settings.limitSignInsPerNetwork).toEqual([
      { max: 5, window: 90_000 },
      { max: 100, window: 43_200_000 },
      { max: 300, window: 604_800_000 },
    ]);
    expect(settings.limitLoginFailuresPause).toEqual({ from: 2000, to: 3_600_000 });
    expect(settings.limitLoginFailuresForget).toBe(86_400_000);
  });

  it.each([
    'everywhere',
    '198.51.100.0/33',
    '198.51.100/24',
    '198.51.100.256',
    '2001:db8::/129',
    '0.0.0.0/0',
    '198.51.100.0/24*0',
    '198.51.100.0/24*',
    '198.51.100.0/24*99999',
    '198.51.100.0/24*2x',
    ',',
  ])('LIMITS_SHARED_NETWORKS refuses %s', (text) => {
    expect(mistakesIn({ LIMITS_SHARED_NETWORKS: text })).toEqual([
      expect.stringMatching(/^LIMITS_SHARED_NETWORKS must be .*such as 198\.51\.100\.0\/24\*20/),
    ]);
  });
});

describe('the numbers in force', async () => {
  const { ask, from, logIn, member, signUp, unused, unusedName, document } = await startLimited({
    LIMIT_SIGN_INS_PER_NETWORK: '3/10s, 6/1m',
    LIMIT_SIGN_UPS_PER_NETWORK: '2/30m',
    LIMIT_REQUESTS_PER_NETWORK: '40/1m',
    LIMIT_LOGIN_FAILURES_PER_ACCOUNT: '2/1m',
    LIMIT_LOGIN_FAILURES_PAUSE: '5s-10s',
    LIMITS_SHARED_NETWORKS: '203.0.113.0/24*4, 203.0.114.7, 2001:db8:5::/48*2',
  });

  it('are those that were set: refusals and the API page say them', async () => {
    const ip = unused();
    wait(0);
    expect(statuses(await times(3, () => logIn(ip)))).toEqual([401]);
    const refused = await logIn(ip);
    expect(refused.headers.get('ratelimit')).toBe('"sign-in-network-10";r=0;t=10');
    expect(refused.headers.get('ratelimit-policy')).toBe(
      '"sign-in-network-10";q=3;w=10, "sign-in-network-60";q=6;w=60',
    );
    wait(10_000);
    expect(statuses(await times(3, () => logIn(ip)))).toEqual([401]);
    wait(10_000);
    expect((await logIn(ip)).headers.get('ratelimit')).toBe('"sign-in-network-60";r=0;t=40');
    expect(JSON.stringify((await document()).paths!['/auth/login'])).toContain(
      '3 in 10 seconds by network, 6 in 1 minute by network',
    );
  });

  it('are those of an account, too', async () => {
    const ada = await member();
    wait(0);
    await times(2, () => logIn(unused(), ada.username));
    const right = async () => (await logIn(unused(), ada.username, 'correct horse battery')).status;
    expect(await right()).toBe(401);
    wait(4999);
    expect(await right()).toBe(401);
    wait(1);
    expect(await right()).toBe(200);
  });

  it.each([
    ['203.0.113.9', 4],
    ['203.0.114.7', 10],
    ['2001:db8:5:1::1', 2],
    ['203.0.114.8', 1],
    ['2001:db8:6:1::1', 1],
  ])('are multiplied in networks that many share: %s has them %i times', async (ip, factor) => {
    wait(0);
    expect(statuses(await times(2 * factor, () => signUp(ip)))).toEqual([201]);
    const refused = await signUp(ip, { username: unusedName() });
    expect(refused.status).toBe(429);
    expect(refused.headers.get('ratelimit-policy')).toContain(`q=${2 * factor};w=1800`);
    const left = 40 * factor - 2 * factor - 1;
    expect(statuses(await times(left, () => ask('GET', '/nowhere', from(ip))))).toEqual([404]);
    expect((await ask('GET', '/nowhere', from(ip))).status).toBe(429);
  });
});
