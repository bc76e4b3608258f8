import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Request } from 'express';
import passport, { type StrategyCreatedStatic } from 'passport';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { User } from '#models/index';
import { Problem } from '#src/core/problem';
import { strategyConformance } from '#src/http/conformance';
import type { Options } from '#src/http/conformance';
import { custom, defineStrategy, type AuthStrategy, type StrategyContext } from '#src/http/strategy';

type Find = (req: Request, context: StrategyContext<Env>) => Promise<Express.User | null>;
type Act = (this: StrategyCreatedStatic, req: Request, context: StrategyContext<Env>) => unknown;
interface Env {
  KIT_KEY: string;
}
const env = { KIT_KEY: 'a-key-that-nobody-may-repeat' };
const Settings = z.object({ KIT_KEY: z.string().min(8) });
const acting = (act: Act) => (context: StrategyContext<Env>) =>
  Object.assign(new passport.Strategy(), {
    authenticate(this: StrategyCreatedStatic, req: Request) {
      return act.call(this, req, context);
    },
  });
const finding = (find: Find) => (context: StrategyContext<Env>) => custom((req) => find(req, context));

/** Who knows what. */
const people = new Map([
  ['correct horse', 'ada'],
  ['battery staple', 'bob'],
]);

// The three sound ones.

const credentials = z.strictObject({ username: z.string().max(64), password: z.string().max(100) });
const bodyOf = (req: Request) => req.body as z.output<typeof credentials>;
const findByPassword: Find = async (req, { userOf }) => {
  const { username, password } = bodyOf(req);
  return people.get(password) === username ? userOf({ subject: username }) : null;
};
const login = (create = finding(findByPassword), more: object = {}) =>
  defineStrategy<typeof Settings>({
    name: 'kit',
    kind: 'login',
    summary: 'Signs in to a test',
    env: Settings,
    credentials,
    create,
    ...more,
  });
const loginSamples = {
  good: [{ body: { username: 'ada', password: 'correct horse' } }, { body: { username: 'bob', password: 'battery staple' } }],
  bad: [{ body: { username: 'ada', password: 'incorrect horse' } }],
} satisfies Partial<Options>;

const keyOf = (req: Request) => req.get('x-key')?.slice(0, 100) ?? '';
const findByKey: Find = async (req, { userOf }) => {
  const subject = people.get(keyOf(req));
  return subject ? userOf({ subject }) : null;
};
const bearer = (create = finding(findByKey), more: object = {}) =>
  defineStrategy<typeof Settings>({
    name: 'kit',
    kind: 'bearer',
    summary: 'Lets in to a test',
    env: Settings,
    scheme: { type: 'apiKey', in: 'header', name: 'X-Key' },
    create,
    ...more,
  });
const bearerSamples = {
  good: [{ headers: { 'X-Key': 'correct horse' } }, { headers: { 'X-Key': 'battery staple' } }],
  bad: [{ headers: { 'X-Key': 'incorrect horse' } }],
} satisfies Partial<Options>;

interface Journey {
  state?: string;
}
const sessionOf = (req: Request) => (req as unknown as { session: Journey }).session;
const text = (value: unknown) => (typeof value === 'string' ? value : '');
interface Route {
  /** What goes with the browser. */
  state?: () => string | undefined;
  to?: (state: string | undefined, context: StrategyContext<Env>) => string;
  /** Whether the one that comes back is asked about. */
  asks?: boolean;
  keep?: object;
}
const travelling = ({ state = () => randomBytes(16).toString('hex'), asks = true, to = address, keep = {} }: Route = {}): Act =>
  async function (req, { userOf, ...context }) {
    if (!req.path.endsWith('/callback')) {
      const chosen = state();
      Object.assign(sessionOf(req), { ...(chosen && { state: chosen }), ...keep });
      return this.redirect(to(chosen, { userOf, ...context }));
    }
    if (asks && sessionOf(req).state !== req.query['state']) return this.fail();
    const subject = people.get(text(req.query['code']));
    await (subject ? userOf({ subject }).then((user) => this.success(user)) : Promise.resolve(this.fail())).catch((error: unknown) =>
      this.error(error),
    );
  };
const address: NonNullable<Route['to']> = (state, { callbackUrl }) =>
  `https://provider.test/authorize?${new URLSearchParams({ redirect_uri: callbackUrl, ...(state && { state }) }).toString()}`;
const redirect = (act = travelling()) =>
  defineStrategy<typeof Settings>({
    name: 'kit',
    kind: 'redirect',
    summary: 'Goes somewhere and back',
    env: Settings,
    create: acting(act),
  });
const stateIn = ({ searchParams }: URL) => {
  const state = searchParams.get('state');
  return state === null ? {} : { state };
};
const comesBack = (code: string) => (url: URL) => ({ query: { code, ...stateIn(url) } });
const redirectSamples = {
  good: [comesBack('correct horse'), comesBack('battery staple')],
  bad: [comesBack('incorrect horse'), (url: URL) => ({ query: { error: 'access_denied', ...stateIn(url) } })],
} satisfies Partial<Options>;

const samples = { login: loginSamples, bearer: bearerSamples, redirect: redirectSamples };
/** Deadline of a strategy that lets it pass, in milliseconds: long enough for those of its answers that do come. */
const SHORT = 2000;
interface Other extends Partial<Options> {
  /** Nobody is answered while it thinks: no two checks at once. */
  blocks?: boolean;
}
/** Names of the checks that fail, and what they say. */
async function failures(strategy: AuthStrategy, { blocks, ...more }: Other = {}): Promise<Record<string, string>> {
  const checks = strategyConformance(strategy, { ...samples[strategy.kind], env, deadline: 5000, ...more });
  const run = async (check: (typeof checks)[number]) =>
    check.run().then(
      () => [],
      (error: Error) => [[check.name, error.message]],
    );
  if (!blocks) return Object.fromEntries((await Promise.all(checks.map(run))).flat());
  const said = [];
  for (const check of checks) said.push(...(await run(check)));
  return Object.fromEntries(said);
}

describe('a sound strategy', () => {
  it.each([login(), bearer(), redirect(), redirect(travelling({ state: () => undefined }))])('of kind $kind passes', async (strategy) => {
    expect(await failures(strategy)).toEqual({});
  });

  it.each<[AuthStrategy, RegExp]>([
    [redirect(), /checks its state itself/],
    [redirect(travelling({ asks: false })), /does not check its state: the server does/],
    [redirect(travelling({ state: () => undefined })), /sends no state: the server adds one/],
  ])('is told who looks after its state', async (strategy, sentence) => {
    const heard: string[] = [];
    await failures(strategy, { note: (said) => heard.push(said) });
    expect(heard).toEqual([expect.stringMatching(sentence)]);
  });

  it('is made at once', async () => {
    const said = await failures(bearer((async () => custom(async () => null)) as never));
    expect(new Set(Object.values(said))).toEqual(new Set(['create() must return a Passport strategy, and at once: not a promise of one.']));
  });

  it('is given its settings', async () => {
    expect((await failures(bearer(), { env: {} }))['always answers']).toMatch(/KIT_KEY/);
  });

  it('is not sound for want of samples, which nobody asks for in JavaScript', async () => {
    const said = await failures(bearer(), { good: [], bad: [] } as never);
    expect(said['vouches for exactly one person']).toMatch(/^Give `good` /);
    expect(said['refuses what is wrong with fail()']).toMatch(/^Give `bad` /);
  });

  it('is seen whole: every kind has all checks that are for it', () => {
    const count = (strategy: AuthStrategy) => strategyConformance(strategy, { ...loginSamples }).length;
    expect([login(), bearer(), redirect()].map(count)).toEqual([14, 14, 16]);
  });
});

const ended: Find = async () => Promise.reject(new Problem('unavailable'));
/** A user, as far as can be told without a database. */
const user = (id: string, roles?: []) => Object.assign(Object.create(User.prototype) as User, { id, ...(roles && { roles }) });
const other = (find: Find) => bearer(finding(find));
const settle = (find: Find): Act =>
  async function (req, context) {
    const user = await find(req, context);
    if (user) this.success(user);
    else this.fail();
  };

describe.each<[check: string, broken: [what: string, strategy: AuthStrategy, more?: Other][]]>([
  [
    'describes itself',
    [
      ['no summary', login(undefined, { summary: '' })],
      ['a summary that is no sentence', bearer(undefined, { summary: 'keys' })],
      ['bearer without a scheme', bearer(undefined, { scheme: undefined })],
      ['a setting that is named oddly', bearer(undefined, { env: Settings.extend({ kit_more: z.string().optional() }) })],
      ['settings that are all optional', bearer(undefined, { env: z.object({ KIT_KEY: z.string().optional() }) })],
      ['credentials that take anything', login(undefined, { credentials: credentials.loose() })],
    ],
  ],
  [
    'vouches for exactly one person',
    [
      ['refuses everybody', other(async () => null)],
      [
        'makes a user up',
        bearer(
          acting(async function (req, { userOf }) {
            const subject = people.get(keyOf(req));
            if (!subject) return this.fail();
            await userOf({ subject }).then(
              () => this.success({ id: subject } as never),
              (error: unknown) => this.error(error),
            );
          }),
        ),
      ],
      ['a user without roles', other(async (req, context) => (await findByKey(req, context)) && user('ada'))],
    ],
  ],
  [
    'refuses what is wrong with fail()',
    [
      [
        'breaks over it',
        other(async (req, context) => {
          if (keyOf(req) === 'incorrect horse') throw new Error('no such key');
          return findByKey(req, context);
        }),
      ],
      [
        'lets it in',
        other(async (req, context) => (keyOf(req) === 'incorrect horse' ? context.userOf({ subject: 'x' }) : findByKey(req, context))),
      ],
      ['calls it busy', other(async (req, context) => (keyOf(req) === 'incorrect horse' ? ended(req, context) : findByKey(req, context)))],
    ],
  ],
  [
    'says error() when it cannot look people up',
    [
      ['takes it for a wrong key', other((req, context) => findByKey(req, context).catch(() => null))],
      [
        'an async verify function that nobody awaits',
        bearer(
          acting(function (req, context) {
            void settle(findByKey).call(this, req, context);
          }),
        ),
        { deadline: SHORT },
      ],
      [
        'keeps silent',
        bearer(
          acting(function (req, context) {
            findByKey(req, context).then(
              (user) => (user ? this.success(user) : this.fail()),
              () => {},
            );
          }),
        ),
        { deadline: SHORT },
      ],
      [
        'looks people up elsewhere, and brings no outage',
        other(async (req) => (people.has(keyOf(req)) ? user(people.get(keyOf(req))!, []) : null)),
      ],
    ],
  ],
  [
    'never calls pass()',
    [
      [
        'for what is not its own',
        bearer(
          acting(function (req, context) {
            return req.get('x-key') ? settle(findByKey).call(this, req, context) : this.pass();
          }),
        ),
      ],
      [
        'for what is wrong',
        login(
          acting(function (req, context) {
            return bodyOf(req).password === 'incorrect horse' ? this.pass() : settle(findByPassword).call(this, req, context);
          }),
        ),
      ],
    ],
  ],
  [
    'always answers',
    [
      [
        'nothing to nobody',
        bearer(
          acting(function (req, context) {
            return req.get('x-key') ? settle(findByKey).call(this, req, context) : undefined;
          }),
        ),
        { deadline: SHORT },
      ],
      [
        'too late',
        login(
          acting(async function (req, context) {
            if (bodyOf(req).password === 'incorrect horse') await sleep(2 * SHORT);
            await settle(findByPassword).call(this, req, context);
          }),
        ),
        { deadline: SHORT },
      ],
    ],
  ],
  [
    'answers once',
    [
      [
        'success, then fail',
        bearer(
          acting(async function (req, context) {
            const user = await findByKey(req, context);
            if (user) this.success(user);
            this.fail();
          }),
        ),
      ],
      [
        'a second time, later',
        bearer(
          acting(async function (req, context) {
            await settle(findByKey).call(this, req, context);
            setTimeout(() => this.fail(), 20);
          }),
        ),
      ],
      [
        'and throws afterwards',
        bearer(
          acting(async function (req, context) {
            await settle(findByKey).call(this, req, context);
            if (people.has(keyOf(req)))
              setTimeout(() => {
                throw new Error('afterwards');
              }, 20);
          }),
        ),
      ],
    ],
  ],
  [
    'keeps two requests apart',
    [
      [
        'keeps who asked',
        login((context) => {
          let last: StrategyCreatedStatic;
          const act: Act = async function (req) {
            last = this; // eslint-disable-line typescript/no-this-alias -- that is the point
            const user = await findByPassword(req, context).catch((error: unknown) => this.error(error));
            if (user) last.success(user);
            else if (user === null) last.fail();
          };
          return acting(act)(context);
        }),
        { deadline: SHORT },
      ],
    ],
  ],
  [
    'lets nobody in for nothing',
    [
      [
        'remembers who came last',
        bearer((context) => {
          let known = false;
          return custom(async (req) => {
            if (!req.get('x-key') && known && req.headers.cookie) return context.userOf({ subject: 'ada' });
            known ||= people.has(keyOf(req));
            return findByKey(req, context);
          });
        }),
      ],
      [
        'trips over credentials of others',
        other(async (req, context) => {
          if (req.headers.authorization === 'Basic') throw new TypeError('cannot read [1]');
          return findByKey(req, context);
        }),
      ],
      [
        'signs in without an answer of the provider',
        redirect(function (req, context) {
          if (req.path.endsWith('/callback') && !req.url.includes('?'))
            return context.userOf({ subject: 'ada' }).then((user) => this.success(user));
          return travelling().call(this, req, context);
        }),
      ],
    ],
  ],
  [
    'repeats no secret',
    [
      [
        'of the body, in its reason',
        login(
          acting(async function (req, context) {
            const user = await findByPassword(req, context).catch((error: unknown) => this.error(error));
            if (user) this.success(user);
            else if (user === null) this.fail(`${bodyOf(req).password} is wrong`);
          }),
        ),
      ],
      [
        'of a header, in what it throws',
        other(async (req, context) => {
          try {
            return await findByKey(req, context);
          } catch (cause) {
            throw new Error(`GET ? ${req.get('x-key')}`, { cause });
          }
        }),
      ],
      [
        'of the settings, in an address',
        redirect(travelling({ to: (state, context) => `${address(state, context)}&client_secret=${context.env.KIT_KEY}` })),
      ],
    ],
  ],
  [
    'redirects only where it may',
    [
      [
        'though it is of kind login',
        login(
          acting(function (req, context) {
            return bodyOf(req).password === 'incorrect horse'
              ? this.redirect('/login?again')
              : settle(findByPassword).call(this, req, context);
          }),
        ),
      ],
      ['to a relative address', redirect(travelling({ to: (state) => `/authorize?state=${state}` }))],
      ['without TLS', redirect(travelling({ to: (state, context) => address(state, context).replace('https', 'http') }))],
      [
        'with another callback',
        redirect(travelling({ to: (state) => address(state, { callbackUrl: 'https://evil.test' } as never) })),
        { callbackUrl: 'https://auth.test/auth/kit/callback' },
      ],
      [
        'a second time',
        redirect(function (req, context) {
          return text(req.query['error'])
            ? this.redirect('https://provider.test/again?state=0123456789abcdef')
            : travelling().call(this, req, context);
        }),
      ],
    ],
  ],
  [
    'takes __proto__ for a word',
    [
      [
        'looks up in an object',
        other(async (req, { userOf }) => {
          const found = (Object.fromEntries(people) as Record<string, unknown>)[keyOf(req)];
          return found ? userOf({ subject: found as string }) : null;
        }),
      ],
      [
        'copies what it is given',
        other(async (req, { userOf }) => {
          const copy: Record<string, Record<string, unknown>> = {};
          for (const [name, value] of Object.entries(req.query)) (copy[name] ??= {})['given'] = value;
          const subject = people.get(text(copy['key']?.['given']));
          return subject ? userOf({ subject }) : null;
        }),
        { good: { query: { key: 'correct horse' } }, bad: [{ query: { key: 'incorrect horse' } }] },
      ],
    ],
  ],
  [
    'refuses huge values quickly',
    [
      [
        'breaks over them',
        other(async (req, context) => {
          if ((req.get('x-key') ?? '').length > 1000) throw new RangeError('too long');
          return findByKey(req, context);
        }),
      ],
      [
        'thinks about them',
        other(async (req, context) => {
          if ((req.get('x-key') ?? '').length > 1000) for (const end = Date.now() + 1100; Date.now() < end;) Math.sqrt(2);
          return findByKey(req, context);
        }),
        { blocks: true },
      ],
    ],
  ],
  [
    'refuses lists where it wants a text',
    [
      [
        'in a body that nobody looked at',
        login(
          finding(async (req, { userOf }) => {
            const { username, password } = req.body as Record<string, string>;
            return people.get(password!.trim()) === username ? userOf({ subject: username! }) : null;
          }),
          { credentials: z.strictObject({ username: z.any(), password: z.any().refine((given) => given !== undefined) }) },
        ),
      ],
      [
        'in a query',
        other(async (req, { userOf }) => {
          const key = req.query['key'] as string | undefined;
          const subject = key && people.get(key.trim());
          return subject ? userOf({ subject }) : null;
        }),
        { good: { query: { key: 'correct horse' } }, bad: [{ query: { key: 'incorrect horse' } }] },
      ],
    ],
  ],
  [
    'ties the way back to the browser that left',
    [
      ['always sends the same state', redirect(travelling({ asks: false, state: () => 'a-state-like-any-other' }))],
      ['sends a state that can be guessed', redirect(travelling({ asks: false, state: () => String(Math.floor(Math.random() * 1e9)) }))],
    ],
  ],
  [
    'keeps little in its session',
    [
      ['keeps too much', redirect(travelling({ keep: { page: 'x'.repeat(3000) } }))],
      ['keeps a Date', redirect(travelling({ keep: { since: new Date() } }))],
    ],
  ],
])('%s', (check, broken) => {
  it.each(broken)('is what fails when a strategy is broken: %s', async (_what, strategy, more) => {
    const said = await failures(strategy, more);
    expect(said).toEqual({ [check]: expect.stringMatching(/^.{15,}[.?)]$/s) });
  });
});
