import { createHmac, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Request } from 'express';
import passport, { type StrategyCreatedStatic } from 'passport';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { User } from '#models/user';
import { Problem } from '#src/platform/http/problem';
import { strategyConformance } from '#src/strategy-kit/conformance';
import type { Options } from '#src/strategy-kit/conformance';
import {
  custom,
  defineStrategy,
  rawBodyOf,
  type AuthStrategy,
  type StrategyContext,
  type StrategyUser,
} from '#src/strategy-kit/strategy';

type Find = (req: Request, context: StrategyContext<Env>) => Promise<StrategyUser | null>;
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
const finding = (find: Find) => (context: StrategyContext<Env>) =>
  custom((req) => find(req, context));

/** Who knows what. */
const people = new Map([
  ['correct horse', 'ada'],
  ['battery staple', 'bob'],
]);

// The three sound ones.

const credentials = z.strictObject({ username: z.string().max(64), password: z.string().max(100) });
const bodyOf = (req: Request) => req.body as z.output<typeof credentials>;
const findByPassword: Find = async (req, { resolveUser }) => {
  const { username, password } = bodyOf(req);
  return people.get(password) === username ? resolveUser({ subject: username }) : null;
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
  good: [
    { body: { username: 'ada', password: 'correct horse' } },
    { body: { username: 'bob', password: 'battery staple' } },
  ],
  bad: [{ body: { username: 'ada', password: 'incorrect horse' } }],
} satisfies Partial<Options>;

const keyOf = (req: Request) => req.get('x-key')?.slice(0, 100) ?? '';
const findByKey: Find = async (req, { resolveUser }) => {
  const subject = people.get(keyOf(req));
  return subject ? resolveUser({ subject }) : null;
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

/** A strategy with a step that asks for a code. */
const Ask = {
  summary: 'Asks for a code',
  body: z.strictObject({ phone: z.string().max(20) }),
  returns: z.strictObject({ seconds: z.number() }),
  run: async ({ phone }: { phone: string }, { store }: StrategyContext<Env>) => {
    await store.put(phone, phone, 60);
    return { seconds: (await store.read(phone)) === phone ? 60 : 0 };
  },
};
const stepping = (more: object = {}) => login(undefined, { steps: { ask: { ...Ask, ...more } } });
const steps = { ask: { phone: '+4912345' } };

/** A strategy that checks a signature over the bytes of the body. */
const signature = (text: string | Buffer) =>
  createHmac('sha256', env.KIT_KEY).update(text).digest('hex');
const signedBy = (who: string) => ({
  body: { who },
  headers: { 'X-Signature': signature(JSON.stringify({ who })) },
});
const signing = (find: Find) =>
  bearer(finding(find), {
    rawBody: true,
    scheme: { type: 'apiKey', in: 'header', name: 'X-Signature' },
  });
const findBySignature: Find = async (req, { resolveUser }) => {
  const body = rawBodyOf(req);
  if (req.get('x-signature') !== signature(body)) return null;
  const { who } = (body.length > 0 ? JSON.parse(body.toString()) : {}) as { who?: unknown };
  return typeof who === 'string' ? resolveUser({ subject: who }) : null;
};

interface Stored {
  state?: string;
}
const sessionOf = (req: Request) => (req as unknown as { session: Stored }).session;
const text = (value: unknown) => (typeof value === 'string' ? value : '');
interface Route {
  /** What goes with the browser. */
  state?: () => string | undefined;
  to?: (state: string | undefined, context: StrategyContext<Env>) => string;
  /** Whether the state in the callback is checked. */
  asks?: boolean;
  store?: object;
}
const redirecting = ({
  state = () => randomBytes(16).toString('hex'),
  asks = true,
  to = address,
  store = {},
}: Route = {}): Act =>
  async function (req, { resolveUser, ...context }) {
    if (!req.path.endsWith('/callback')) {
      const chosen = state();
      Object.assign(sessionOf(req), { ...(chosen && { state: chosen }), ...store });
      return this.redirect(to(chosen, { resolveUser, ...context }));
    }
    if (asks && sessionOf(req).state !== req.query['state']) return this.fail();
    const subject = people.get(text(req.query['code']));
    await (
      subject
        ? resolveUser({ subject }).then((user) => this.success(user))
        : Promise.resolve(this.fail())
    ).catch((error: unknown) => this.error(error));
  };
const address: NonNullable<Route['to']> = (state, { callbackUrl }) =>
  `https://provider.test/authorize?${new URLSearchParams({ redirect_uri: callbackUrl, ...(state && { state }) }).toString()}`;
const redirect = (act = redirecting()) =>
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
const returnsWith = (code: string) => (url: URL) => ({ query: { code, ...stateIn(url) } });
const redirectSamples = {
  good: [returnsWith('correct horse'), returnsWith('battery staple')],
  bad: [
    returnsWith('incorrect horse'),
    (url: URL) => ({ query: { error: 'access_denied', ...stateIn(url) } }),
  ],
} satisfies Partial<Options>;

const samples = { login: loginSamples, bearer: bearerSamples, redirect: redirectSamples };
/** Deadline of a strategy that lets it pass, in milliseconds: long enough for those of its answers that do come. */
const SHORT = 2000;
interface Other extends Partial<Options> {
  /** Nobody is answered while it thinks: no two checks at once. */
  blocks?: boolean;
}
/** Names of the checks that fail, and what they say. */
async function failures(
  strategy: AuthStrategy,
  { blocks, ...more }: Other = {},
): Promise<Record<string, string>> {
  const checks = strategyConformance(strategy, {
    ...samples[strategy.kind],
    env,
    deadline: 5000,
    ...more,
  });
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
  it.each([login(), bearer(), redirect(), redirect(redirecting({ state: () => undefined }))])(
    'of kind $kind passes',
    async (strategy) => {
      expect(await failures(strategy)).toEqual({});
    },
  );

  it.each<[AuthStrategy, RegExp]>([
    [redirect(), /checks its state itself/],
    [redirect(redirecting({ asks: false })), /does not check its state: the server does/],
    [redirect(redirecting({ state: () => undefined })), /sends no state: the server adds one/],
  ])('is told who checks its state', async (strategy, sentence) => {
    const heard: string[] = [];
    await failures(strategy, { note: (said) => heard.push(said) });
    expect(heard).toEqual([expect.stringMatching(sentence)]);
  });

  it('with steps passes', async () => {
    expect(await failures(stepping(), { steps })).toEqual({});
    const refuses = { run: () => Promise.reject(new Problem('rate_limited')) };
    const sentences = await failures(stepping(refuses), { steps });
    expect(sentences).toEqual({
      'answers its steps': expect.stringMatching(/must answer the body/),
    });
  });

  it('that checks a signature over the body passes', async () => {
    const good = [signedBy('ada'), signedBy('bob')] as const;
    const forged = { body: { who: 'bob' }, headers: signedBy('ada').headers };
    expect(await failures(signing(findBySignature), { good, bad: [forged] })).toEqual({});
  });

  it('is told to be given `auth` if it uses it', async () => {
    const strategy = other((_req, { auth }) => auth.users.find('ada'));
    const checks = strategyConformance(strategy, { ...bearerSamples, env });
    const { run } = checks.find(({ name }) => name === 'identifies exactly one user')!;
    const error = (await run().catch((error: unknown) => error)) as Error;
    expect(String(error.cause)).toContain('The strategy uses `auth.users`: give `auth`');
  });

  it('is made at once', async () => {
    const said = await failures(bearer((async () => custom(async () => null)) as never));
    expect(new Set(Object.values(said))).toEqual(
      new Set(['create() must return a Passport strategy, and at once: not a promise of one.']),
    );
  });

  it('is given its settings', async () => {
    expect((await failures(bearer(), { env: {} }))['always answers']).toMatch(/KIT_KEY/);
  });

  it('is not sound for want of samples, which nobody asks for in JavaScript', async () => {
    const said = await failures(bearer(), { good: [], bad: [] } as never);
    expect(said['identifies exactly one user']).toMatch(/^Give `good` /);
    expect(said['refuses what is wrong with fail()']).toMatch(/^Give `bad` /);
  });

  it('is seen whole: every kind has all checks that are for it', () => {
    const count = (strategy: AuthStrategy) =>
      strategyConformance(strategy, { ...loginSamples }).length;
    expect([login(), bearer(), redirect(), stepping()].map(count)).toEqual([14, 14, 16, 15]);
  });
});

const ended: Find = async () => Promise.reject(new Problem('unavailable'));
/** A user, as far as can be told without a database. */
const user = (id: string, roles?: []) =>
  Object.assign(Object.create(User.prototype) as User, { id, ...(roles && { roles }) });
const other = (find: Find) => bearer(finding(find));
const settle = (find: Find): Act =>
  async function (req, context) {
    const user = await find(req, context);
    if (user) this.success(user as Express.User);
    else this.fail();
  };

describe.each<[check: string, broken: [what: string, strategy: AuthStrategy, more?: Other][]]>([
  [
    'describes itself',
    [
      ['no summary', login(undefined, { summary: '' })],
      ['a summary that is no sentence', bearer(undefined, { summary: 'keys' })],
      ['bearer without a scheme', bearer(undefined, { scheme: undefined })],
      [
        'a setting that is named oddly',
        bearer(undefined, { env: Settings.extend({ kit_more: z.string().optional() }) }),
      ],
      [
        'settings that are all optional',
        bearer(undefined, { env: z.object({ KIT_KEY: z.string().optional() }) }),
      ],
      ['credentials that take anything', login(undefined, { credentials: credentials.loose() })],
    ],
  ],
  [
    'identifies exactly one user',
    [
      ['refuses everybody', other(async () => null)],
      [
        'makes a user up',
        bearer(
          acting(async function (req, { resolveUser }) {
            const subject = people.get(keyOf(req));
            if (!subject) return this.fail();
            await resolveUser({ subject }).then(
              () => this.success({ id: subject } as never),
              (error: unknown) => this.error(error),
            );
          }),
        ),
      ],
      [
        'a user without roles',
        other(async (req, context) => (await findByKey(req, context)) && user('ada')),
      ],
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
        other(async (req, context) =>
          keyOf(req) === 'incorrect horse'
            ? context.resolveUser({ subject: 'x' })
            : findByKey(req, context),
        ),
      ],
      [
        'calls it busy',
        other(async (req, context) =>
          keyOf(req) === 'incorrect horse' ? ended(req, context) : findByKey(req, context),
        ),
      ],
    ],
  ],
  [
    'says error() when it cannot look people up',
    [
      [
        'takes it for a wrong key',
        other((req, context) => findByKey(req, context).catch(() => null)),
      ],
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
              (user) => (user ? this.success(user as Express.User) : this.fail()),
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
            return bodyOf(req).password === 'incorrect horse'
              ? this.pass()
              : settle(findByPassword).call(this, req, context);
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
            if (user) this.success(user as Express.User);
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
            const user = await findByPassword(req, context).catch((error: unknown) =>
              this.error(error),
            );
            if (user) last.success(user as Express.User);
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
            if (!req.get('x-key') && known && req.headers.cookie)
              return context.resolveUser({ subject: 'ada' });
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
            return context.resolveUser({ subject: 'ada' }).then((user) => this.success(user));
          return redirecting().call(this, req, context);
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
            const user = await findByPassword(req, context).catch((error: unknown) =>
              this.error(error),
            );
            if (user) this.success(user as Express.User);
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
        redirect(
          redirecting({
            to: (state, context) =>
              `${address(state, context)}&client_secret=${context.env.KIT_KEY}`,
          }),
        ),
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
      [
        'to a relative address',
        redirect(redirecting({ to: (state) => `/authorize?state=${state}` })),
      ],
      [
        'without TLS',
        redirect(
          redirecting({ to: (state, context) => address(state, context).replace('https', 'http') }),
        ),
      ],
      [
        'with another callback',
        redirect(
          redirecting({
            to: (state) => address(state, { callbackUrl: 'https://evil.test' } as never),
          }),
        ),
        { callbackUrl: 'https://auth.test/auth/kit/callback' },
      ],
      [
        'a second time',
        redirect(function (req, context) {
          return text(req.query['error'])
            ? this.redirect('https://provider.test/again?state=0123456789abcdef')
            : redirecting().call(this, req, context);
        }),
      ],
    ],
  ],
  [
    'takes __proto__ for a word',
    [
      [
        'looks up in an object',
        other(async (req, { resolveUser }) => {
          const found = (Object.fromEntries(people) as Record<string, unknown>)[keyOf(req)];
          return found ? resolveUser({ subject: found as string }) : null;
        }),
      ],
      [
        'copies what it is given',
        other(async (req, { resolveUser }) => {
          const copy: Record<string, Record<string, unknown>> = {};
          for (const [name, value] of Object.entries(req.query))
            (copy[name] ??= {})['given'] = value;
          const subject = people.get(text(copy['key']?.['given']));
          return subject ? resolveUser({ subject }) : null;
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
          if ((req.get('x-key') ?? '').length > 1000)
            for (const end = Date.now() + 1100; Date.now() < end;) Math.sqrt(2);
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
          finding(async (req, { resolveUser }) => {
            const { username, password } = req.body as Record<string, string>;
            return people.get(password!.trim()) === username
              ? resolveUser({ subject: username! })
              : null;
          }),
          {
            credentials: z.strictObject({
              username: z.any(),
              password: z.any().refine((given) => given !== undefined),
            }),
          },
        ),
      ],
      [
        'in a query',
        other(async (req, { resolveUser }) => {
          const key = req.query['key'] as string | undefined;
          const subject = key && people.get(key.trim());
          return subject ? resolveUser({ subject }) : null;
        }),
        { good: { query: { key: 'correct horse' } }, bad: [{ query: { key: 'incorrect horse' } }] },
      ],
    ],
  ],
  [
    'binds the callback to the browser that started',
    [
      [
        'always sends the same state',
        redirect(redirecting({ asks: false, state: () => 'a-state-like-any-other' })),
      ],
      [
        'sends a state that can be guessed',
        redirect(
          redirecting({ asks: false, state: () => String(Math.floor(Math.random() * 1e9)) }),
        ),
      ],
    ],
  ],
  [
    'answers its steps',
    [
      ['no sample', stepping(), { steps: {} }],
      ['a sample that is not accepted', stepping(), { steps: { ask: { phone: 5 } } }],
      ['a body that takes anything', stepping({ body: Ask.body.loose() })],
      ['answers what it did not say', stepping({ run: async () => ({ seconds: 'sixty' }) })],
      ['throws', stepping({ run: () => Promise.reject(new Error('no gateway')) })],
      ['does not answer', stepping({ run: () => new Promise(() => {}) }), { deadline: SHORT }],
      [
        'leaves a rejection',
        stepping({
          run: async () => {
            void Promise.reject(new Error('of the gateway'));
            await sleep(20);
            return { seconds: 60 };
          },
        }),
      ],
    ],
  ],
  [
    'keeps little in its session',
    [
      ['keeps too much', redirect(redirecting({ store: { page: 'x'.repeat(3000) } }))],
      ['keeps a Date', redirect(redirecting({ store: { since: new Date() } }))],
    ],
  ],
])('%s', (check, broken) => {
  it.each(broken)('is what fails when a strategy is broken: %s', async (_what, strategy, more) => {
    const said = await failures(strategy, { ...(strategy.steps && { steps }), ...more });
    expect(said).toEqual({ [check]: expect.stringMatching(/^.{15,}[.?)]$/s) });
  });
});
