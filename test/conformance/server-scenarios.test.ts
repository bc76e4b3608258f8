import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { startNodes } from '#src/conformance/nodes';
import { runServer } from '#src/conformance/run-server';
import { says, startProxy, type Fate } from '#src/conformance/proxy';
import { serverScenarios } from '#src/conformance/server-scenarios';
import { emptyDatabase } from '#test/support/database';
import { root } from '#test/support/process';

const HANGS = 300_000;
const nodes = await startNodes([await emptyDatabase()], 0);
afterAll(() => nodes.close());
const run = async (url: string) => {
  const verdicts = await runServer({ url, pass: async (seconds) => nodes.forward(seconds) });
  expect(verdicts.length).toBeGreaterThan(9);
  return verdicts.flatMap(({ scenario, verdict, why }) =>
    verdict === 'passed' ? [] : [[scenario, why]],
  );
};

it('is described in docs/conformance.md', () => {
  const page = readFileSync(join(root, 'docs/conformance.md'), 'utf8');
  for (const { name, title } of serverScenarios)
    expect(page).toContain(`| \`${name}\` | ${title} |`);
});

it('lets this server pass', { timeout: HANGS }, async () => {
  expect(await run(nodes.urls[0]!)).toEqual([]);
});

/** Servers as others build them. */
const others: [what: string, refresh: () => Fate, fails: string[]][] = [
  [
    'refuses a refresh with 401',
    () =>
      async ({ ask }) => {
        const answer = await ask();
        return answer.status === 400 ? { ...answer, status: 401 } : answer;
      },
    ['replaced-token', 'older-token', 'unknown-token', 'sign-out', 'ended-elsewhere', 'refusals'],
  ],
  [
    'takes each token once',
    () => {
      const spent = new Set<unknown>();
      const ended = { reason: 'reused', sessionStatus: 'ended', code: 'invalid_grant' };
      return async (asked) => {
        const { refreshToken } = asked.body;
        if (spent.has(refreshToken)) {
          await fetch(`${nodes.urls[0]}/auth/logout`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ refreshToken }),
          });
          return says(400, { status: 400, action: 'sign_in', ...ended })(asked);
        }
        spent.add(refreshToken);
        return asked.ask();
      };
    },
    ['at-once', 'unused-successor'],
  ],
  [
    'answers the same token for ever',
    () => {
      const given = new Map<unknown, ReturnType<Fate>>();
      return (asked) => {
        const { refreshToken } = asked.body;
        const answer = given.get(refreshToken) ?? asked.ask();
        given.set(refreshToken, answer);
        return answer;
      };
    },
    ['replaced-token', 'older-token'],
  ],
];
it.each(others)('sees a server that %s', { timeout: HANGS }, async (_what, refresh, fails) => {
  const proxy = await startProxy(nodes.urls);
  proxy.all('POST /auth/refresh', refresh());
  const failed = await run(proxy.url);
  proxy.close();
  expect(failed.map(([scenario]) => scenario)).toEqual(fails);
});

it('needs a user, or makes one', { timeout: HANGS }, async () => {
  const proxy = await startProxy(nodes.urls);
  proxy.all('POST /auth/register', says(403, { code: 'signup_closed' }));
  await expect(runServer({ url: proxy.url })).rejects.toThrow('name a user with --user');
  const account = { identifier: 'nobody', password: 'nothing at all' };
  const verdicts = await runServer({ url: proxy.url, account });
  expect(verdicts[0]!.why).toBe(
    'a sign-in is answered 401 invalid_credentials fix_request, not 200',
  );
  const passed = verdicts.filter(({ verdict }) => verdict === 'passed');
  expect(passed.map(({ scenario }) => scenario)).toEqual(['refusals']);
  proxy.close();
  await expect(runServer({ url: proxy.url })).rejects.toThrow('Nobody answers at http');
});
