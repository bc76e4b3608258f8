import { describe, expect, it, vi } from 'vitest';
import { wait } from '#test/support/clock';
import {
  ADMIN,
  ADMIN_PASSWORD,
  BASE,
  hasDirectory,
  person,
  startDirectory,
} from '#test/support/directory';
import { startLimited, statuses, times } from '#test/support/limited';

const password = 'ida keeps it secret';
const people =
  person('ida', { cn: 'Ida P', userPassword: password }) +
  person('max muster', { cn: 'Max M', userPassword: password });

describe.runIf(hasDirectory)('guessing at POST /auth/ldap', async () => {
  if (!hasDirectory) return;
  const directory = await startDirectory(people);
  const { ask, ctx, from, unused } = await startLimited({
    LDAP_URL: directory.url,
    LDAP_BIND_DN: ADMIN,
    LDAP_BIND_PASSWORD: ADMIN_PASSWORD,
    LDAP_SEARCH_BASE: `ou=people,${BASE}`,
  });
  const signIn = (ip: string, username: string, secret = 'a guess') =>
    ask('POST', '/auth/ldap', { body: { username, password: secret }, ...from(ip) });

  it('is counted by the entry that is found, however its name is spelt', async () => {
    const spellings = [
      'max muster',
      'MAX MUSTER',
      ' max muster ',
      'max  muster',
      'Max   Muster',
      'ｍａｘ muster',
      'max\u00a0muster',
      'max\u00admuster',
    ];
    wait(0);
    await times(40, (i) => signIn(unused(), spellings[i % 5]!));
    for (const name of spellings.slice(0, 5))
      expect((await signIn(unused(), name, password)).status, name).toBe(401);
    wait(16 * 60_000);
    expect((await signIn(unused(), 'max muster', password)).status).toBe(200);
    vi.useRealTimers();
  });

  it('keeps nobody out where they have signed in before', async () => {
    const home = unused();
    wait(0);
    expect((await signIn(home, 'ida', password)).status).toBe(200);
    expect(statuses(await times(12, (i) => signIn(unused(), i % 2 ? 'IDA' : 'ida')))).toEqual([
      401,
    ]);
    expect((await signIn(unused(), 'ida', password)).status).toBe(401);
    expect((await signIn(home, 'ida', password)).status).toBe(200);
    vi.useRealTimers();
  });

  it('counts all spellings of a name without an entry as one, and says whom it was about', async () => {
    const seen: { userId?: string; account?: string }[] = [];
    const stop = ctx.events.on('session.refused', (event) => void seen.push(event));
    for (const name of ['ghost', ' GHOST', 'ｇｈｏｓｔ', 'ida', 'IDA'])
      await signIn(unused(), name);
    stop();
    expect(seen[0]!.account).toMatch(/^[\da-f]{16}$/);
    expect(new Set(seen.slice(0, 3).map(({ account }) => account)).size).toBe(1);
    expect(seen[3]!.userId).toBeDefined();
    expect(seen[4]!.userId).toBe(seen[3]!.userId);
  });
});
