import { array, assert, integer, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { networkOf } from '#src/platform/http/network';
import { emptyDatabase } from '#test/support/database';
import { statuses, times } from '#test/support/limited';
import { settingsFor, startProcess } from '#test/support/process';

let made = 0;
const start = async (TRUST_PROXY: string, more = {}) => {
  const server = await startProcess(
    settingsFor(await emptyDatabase(), { LIMITS: 'on', TRUST_PROXY, ...more }),
  );
  const logIn = (forwarded?: string) =>
    server.ask('POST', '/auth/login', {
      body: { identifier: `nobody${++made}`, password: 'a guess' },
      ...(forwarded && { headers: { 'x-forwarded-for': forwarded } }),
    });
  return { ...server, logIn };
};
const FORGED = (i: number) => `198.51.100.${i}`;

describe('the network that is counted', () => {
  it('is chosen by nobody when no proxy is trusted (L-07), and the operator is told once what that may mean', async () => {
    const { ask, logIn, kill } = await start('0', { LOG_LEVEL: 'warn' });
    expect(statuses(await times(30, (i) => logIn(FORGED(i))))).toEqual([401]);
    expect(statuses(await times(5, (i) => logIn(FORGED(100 + i))))).toEqual([429]);
    expect((await logIn()).status).toBe(429);
    const body = { username: 'ada', password: 'correct horse battery' };
    const signUps = await times(11, (i) =>
      ask('POST', '/auth/register', { body, headers: { 'x-forwarded-for': FORGED(i) } }),
    );
    expect(statuses(signUps)).toEqual([201, 409, 429]);
    const { stdout } = await kill('SIGTERM');
    expect(stdout.match(/set TRUST_PROXY/g)).toHaveLength(1);
    expect(stdout).not.toContain('198.51');
  });

  it('is what the one trusted proxy saw, whatever stands before that', async () => {
    const { logIn } = await start('1');
    const seen = '203.0.113.5';
    const written = [
      (i: number) => `${FORGED(i)}, ${seen}`,
      (i: number) => `${FORGED(i)}, ${FORGED(i + 1)},${seen}`,
      () => seen,
    ];
    expect(statuses(await times(30, (i) => logIn(written[i % 3]!(i))))).toEqual([401]);
    expect(statuses(await times(3, (i) => logIn(written[i]!(i))))).toEqual([429]);
    expect((await logIn(`${seen}, 203.0.113.6`)).status).toBe(401);
  });

  it('is the first address from the right that is no trusted proxy’s', async () => {
    const { logIn } = await start('127.0.0.0/8, 10.0.0.0/8');
    const seen = '203.0.113.5';
    const written = [
      (i: number) => `${FORGED(i)}, ${seen}, 10.0.0.1`,
      (i: number) => `10.0.0.${i}, ${FORGED(i)}, ${seen}, 10.1.2.3, 10.0.0.1`,
      () => seen,
    ];
    expect(statuses(await times(30, (i) => logIn(written[i % 3]!(i))))).toEqual([401]);
    expect(statuses(await times(3, (i) => logIn(written[i]!(i))))).toEqual([429]);
    expect((await logIn(`${seen}, 203.0.113.6, 10.0.0.1`)).status).toBe(401);
  });

  it('is the address alone, where the proxy writes the port, too', async () => {
    const { logIn } = await start('1');
    const written = [
      (i: number) => `203.0.113.5:${5000 + i}`,
      () => '203.0.113.5',
      (i: number) => `[2001:db8::${i}]:${5000 + i}`,
    ];
    expect(statuses(await times(30, (i) => logIn(written[0]!(i))))).toEqual([401]);
    expect(statuses([await logIn(written[0]!(31)), await logIn(written[1]!(31))])).toEqual([429]);
    expect(statuses(await times(30, (i) => logIn(written[2]!(i))))).toEqual([401]);
    expect(statuses([await logIn(written[2]!(31)), await logIn('2001:db8::1')])).toEqual([429]);
  });

  it('is one for all who have no address', async () => {
    const { logIn } = await start('1');
    expect(
      statuses(await times(30, (i) => logIn(i % 2 ? `no address ${i}` : `fe80::${i}%eth0`))),
    ).toEqual([401]);
    expect((await logIn('unknown')).status).toBe(429);
    expect((await logIn('203.0.113.5')).status).toBe(401);
  });
});

describe('networkOf', () => {
  const written = (groups: readonly number[]) =>
    groups.map((group) => group.toString(16)).join(':');
  /** The same address in its shortest form. */
  const short = (text: string) => new URL(`http://[${text}]`).hostname.slice(1, -1);

  it('is the first 64 bits of an IPv6 address, however it is written', () => {
    const group = nat(0xffff);
    const first = [integer({ min: 1, max: 0xffff }), group, group, group] as const;
    assert(
      property(
        ...first,
        array(group, { minLength: 8, maxLength: 8 }),
        nat(3),
        (a, b, c, d, rest, changed) => {
          const here = written([a, b, c, d, ...rest.slice(0, 4)]);
          const neighbour = written([a, b, c, d, ...rest.slice(4)]);
          const stranger = written(
            [a, b, c, d]
              .map((each, i) => (i === changed ? each ^ 1 : each))
              .concat(rest.slice(0, 4)),
          );
          for (const same of [neighbour, short(here), short(neighbour), here.toUpperCase()])
            expect(networkOf({ ip: same })).toBe(networkOf({ ip: here }));
          if (!stranger.startsWith('0:'))
            expect(networkOf({ ip: stranger })).not.toBe(networkOf({ ip: here }));
        },
      ),
    );
  });

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['::1', '0:0:0:0::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    [undefined, 'unknown'],
    ['fe80::1%eth0', 'unknown'],
    ['nonsense', 'unknown'],
  ])('of %s is %s', (ip, network) => {
    expect(networkOf({ ip })).toBe(network);
  });
});
