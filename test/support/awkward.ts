import { setTimeout as sleep } from 'node:timers/promises';
import type { StrategyCreatedStatic } from 'passport';
import { ConnectionRefusedError } from 'sequelize';
import type { User } from '#models/index';
import { Problem } from '#src/platform/http/problem';
import type { ServerApi } from '#src/server-api';
import { verify, type StrategyUser } from '#src/strategy-kit/strategy';

/** What must never be in an answer, nor in a log line. */
export const SECRET = 'eyJhbGciOiJIUzI1NiJ9.c2VjcmV0LXBhc3N3b3Jk.0123456789abcdefABCDEF';

/** The user whom they answer. The test registers them. */
export const ANYBODY = 'anybody';
const anybody = async ({ users }: ServerApi) => (await users.find(ANYBODY)) as User & Express.User;
const disabled = async (auth: ServerApi) =>
  Object.assign(await anybody(auth), { disabledAt: new Date() });
const unavailable = () => new ConnectionRefusedError(new Error('connect ECONNREFUSED'));

type Way = (strategy: StrategyCreatedStatic, auth: ServerApi) => unknown;
/** A verify function behind our adapter, called as passport-local calls it. */
const adapted =
  (find: (auth: ServerApi) => Promise<StrategyUser | null>): Way =>
  (strategy, auth) =>
    verify(() => find(auth))((error, user, info) => {
      if (error) strategy.error(error);
      else if (user) strategy.success(user);
      else strategy.fail(info);
    });

/** Everything that a strategy may do wrong, and a few that are right. */
export const ways = {
  'answers a user': async (strategy, auth) => strategy.success(await anybody(auth)),
  'answers a user later': (strategy, auth) =>
    void sleep(20).then(async () => strategy.success(await anybody(auth))),
  'answers a user through the adapter': adapted(anybody),

  rejects: async () => Promise.reject(new Error(`cannot use ${SECRET}`)),
  'throws at once': () => {
    throw new Error(`cannot use ${SECRET}`);
  },
  'throws what is no Error': () => {
    // eslint-disable-next-line typescript/only-throw-error -- that is the point
    throw SECRET;
  },
  'errs with nothing': (strategy) => strategy.error(undefined),
  'rejects through the adapter': adapted(async () =>
    Promise.reject(new Error(`cannot use ${SECRET}`)),
  ),
  'throws at once through the adapter': adapted(() => {
    throw new Error(`cannot use ${SECRET}`);
  }),
  redirects: (strategy) => strategy.redirect('https://evil.example/'),
  'answers a plain object': (strategy) =>
    strategy.success({ id: '1', roles: [{ name: 'admin' }], hasRole: () => true } as never),
  'answers a promise': (strategy, auth) => strategy.success(anybody(auth) as never),
  'answers true': (strategy) => strategy.success(true as never),
  'answers nothing': (strategy) => strategy.success(undefined as never),
  'errs, then answers a user': async (strategy, auth) => {
    const user = await anybody(auth);
    strategy.error(new Error('first'));
    strategy.success(user);
  },

  'cannot reach the database': adapted(async () => Promise.reject(unavailable())),
  'fails because the keys are unavailable': (strategy) => strategy.fail(unavailable()),
  'fails because it is busy': (strategy) => strategy.fail(new Problem('busy')),
  'is silent': () => {},
  'resolves without a word': async () => {},

  passes: (strategy) => strategy.pass(),
  'fails without a reason': (strategy) => strategy.fail(),
  'fails with a status of its own': (strategy) => strategy.fail('no', 200),
  'fails with a secret': (strategy) => strategy.fail(SECRET, 418),
  'answers null through the adapter': adapted(async () => null),
  'answers a disabled user': async (strategy, auth) => strategy.success(await disabled(auth)),

  'answers twice': async (strategy, auth) => {
    const user = await anybody(auth);
    strategy.success(user);
    strategy.success(user);
    await sleep(20);
    strategy.success(user);
  },
  'answers a user, then fails': async (strategy, auth) => {
    strategy.success(await anybody(auth));
    strategy.fail();
  },
  'answers a user, then throws': async (strategy, auth) => {
    strategy.success(await anybody(auth));
    throw new Error('afterwards');
  },
  'answers a user, then passes': async (strategy, auth) => {
    strategy.success(await anybody(auth));
    strategy.pass();
  },
  'fails, then answers a user': async (strategy, auth) => {
    const user = await anybody(auth);
    strategy.fail();
    strategy.success(user);
    await sleep(20);
    strategy.success(user);
  },
  'passes, then answers a user': async (strategy, auth) => {
    const user = await anybody(auth);
    strategy.pass();
    strategy.success(user);
  },
} satisfies Record<string, Way>;
export type WayName = keyof typeof ways;
