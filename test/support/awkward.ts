import { setTimeout as sleep } from 'node:timers/promises';
import type { StrategyCreatedStatic } from 'passport';
import { ConnectionRefusedError } from 'sequelize';
import { User } from '#models/index';
import { Problem } from '#src/core/problem';
import { verify } from '#src/http/strategy';

/** What must never be in an answer, nor in a log line. */
export const SECRET = 'eyJhbGciOiJIUzI1NiJ9.c2VjcmV0LXBhc3N3b3Jk.0123456789abcdefABCDEF';

const anybody = () => User.findOne({ where: { disabledAt: null }, include: ['roles'], rejectOnEmpty: true });
const nobody = () => User.build({ id: '00000000-0000-7000-8000-000000000000', disabledAt: new Date() });
const away = () => new ConnectionRefusedError(new Error('connect ECONNREFUSED'));

type Way = (strategy: StrategyCreatedStatic) => unknown;
/** A verify function behind our adapter, called as passport-local calls it. */
const adapted =
  (find: () => Promise<User | null>): Way =>
  (strategy) =>
    verify(find)((error, user, info) => {
      if (error) strategy.error(error);
      else if (user) strategy.success(user);
      else strategy.fail(info);
    });

/** Everything that a strategy may do wrong, and a few that are right. */
export const ways = {
  'answers a user': async (strategy) => strategy.success(await anybody()),
  'answers a user later': (strategy) => void sleep(20).then(async () => strategy.success(await anybody())),
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
  'rejects through the adapter': adapted(async () => Promise.reject(new Error(`cannot use ${SECRET}`))),
  'throws at once through the adapter': adapted(() => {
    throw new Error(`cannot use ${SECRET}`);
  }),
  redirects: (strategy) => strategy.redirect('https://evil.example/'),
  'vouches for a plain object': (strategy) => strategy.success({ id: '1', roles: [{ name: 'admin' }], hasRole: () => true } as never),
  'vouches for a promise': (strategy) => strategy.success(anybody() as never),
  'vouches for true': (strategy) => strategy.success(true as never),
  'vouches for nothing': (strategy) => strategy.success(undefined as never),
  'errs, then answers a user': async (strategy) => {
    const user = await anybody();
    strategy.error(new Error('first'));
    strategy.success(user);
  },

  'finds the database away': adapted(async () => Promise.reject(away())),
  'fails because the keys are away': (strategy) => strategy.fail(away()),
  'fails because it is busy': (strategy) => strategy.fail(new Problem('busy')),
  'is silent': () => {},
  'resolves without a word': async () => {},

  passes: (strategy) => strategy.pass(),
  'fails without a reason': (strategy) => strategy.fail(),
  'fails with a status of its own': (strategy) => strategy.fail('no', 200),
  'fails with a secret': (strategy) => strategy.fail(SECRET, 418),
  'answers null through the adapter': adapted(async () => null),
  'vouches for a disabled user': (strategy) => strategy.success(nobody()),

  'answers twice': async (strategy) => {
    const user = await anybody();
    strategy.success(user);
    strategy.success(user);
    await sleep(20);
    strategy.success(user);
  },
  'answers a user, then fails': async (strategy) => {
    strategy.success(await anybody());
    strategy.fail();
  },
  'answers a user, then throws': async (strategy) => {
    strategy.success(await anybody());
    throw new Error('afterwards');
  },
  'answers a user, then passes': async (strategy) => {
    strategy.success(await anybody());
    strategy.pass();
  },
  'fails, then answers a user': async (strategy) => {
    const user = await anybody();
    strategy.fail();
    strategy.success(user);
    await sleep(20);
    strategy.success(user);
  },
  'passes, then answers a user': async (strategy) => {
    const user = await anybody();
    strategy.pass();
    strategy.success(user);
  },
} satisfies Record<string, Way>;
export type WayName = keyof typeof ways;
