import { afterEach, describe, expect, it, vi } from 'vitest';
import { password } from '#test/support/app';
import { SECOND, wait } from '#test/support/clock';
import { startLimited, statuses, times } from '#test/support/limited';
import { openMailbox } from '#test/support/mailbox';
import { authorizationRequest } from '#test/support/pkce';
import { statementsOf } from '#test/support/statements';
import { folderOf, providerFile } from '#test/support/strategy-folder';

// Who guesses is slowed down, and keeps out nobody else.

/** Everybody who is sent to this provider comes back at once. */
const gate = `export default { name: 'gate', kind: 'redirect', summary: 'Lets in', create: ({ resolveUser, callbackUrl }) => ({
  authenticate(req) {
    if (!req.query.code) return this.redirect(callbackUrl + '?code=somebody');
    resolveUser({ subject: req.query.code }).then((user) => this.success(user), (error) => this.error(error));
  } }) };`;
const APP = 'https://app.example.com/in';

const mailbox = await openMailbox();
const env = {
  BASIC_AUTH: 'on',
  API_KEYS: 'on',
  BCRYPT_COST: '4',
  REDIRECT_URIS: APP,
  STRATEGIES_DIR: folderOf({
    'gate.mjs': gate,
    'far.mjs': providerFile('far').replace(
      'authenticate(req) {',
      'authenticate(req) { if (!req.body.subject) return this.fail();',
    ),
  }),
};
const { ask, ctx, from, logIn, member, signUp, unused, unusedName, url, User } = await startLimited(
  {
    ...env,
    ...mailbox.env,
    LIMIT_REQUESTS_PER_SITE: '600/1m',
  },
);
afterEach(() => {
  vi.useRealTimers();
});

const basic = (ip: string, name: string, secret: string) =>
  ask('GET', '/me', {
    headers: {
      ...from(ip).headers,
      authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`,
    },
  });
const me = (ip: string, token?: string) =>
  ask('GET', '/me', { ...(token && { token }), ...from(ip) });
/** Strangers use up all that a network may ask without a token. */
const fill = async (ip: string) => {
  await times(300, () => ask('GET', '/nowhere', from(ip)));
  expect((await me(ip)).status).toBe(429);
};
let sites = 0;
/** An address of each /64 of a /48 that nobody has used yet. */
const newSite = () => {
  const site = `2001:db8:${(++sites).toString(16)}`;
  return (i: number) => `${site}:${i.toString(16)}::1`;
};

describe('Basic', () => {
  it('counts failures by network, together with other sign-ins, and what succeeds not at all', async () => {
    const [ip, ada] = [unused(), await member()];
    wait(0);
    expect(statuses(await times(40, () => basic(ip, ada.username, password)))).toEqual([200]);
    expect(statuses(await times(15, () => basic(ip, unusedName(), 'a guess')))).toEqual([401]);
    expect(statuses(await times(15, () => logIn(ip)))).toEqual([401]);
    const refused = await basic(ip, ada.username, password);
    expect([refused.status, refused.headers.get('ratelimit')]).toEqual([
      429,
      '"sign-in-network-60";r=0;t=60',
    ]);
    expect((await basic(unused(), ada.username, password)).status).toBe(200);
  });
});

describe('an office', () => {
  it('signs in as often as it likes, and its failures count all the same', async () => {
    const office = unused();
    const people = [await member(), await member(), await member()];
    wait(0);
    for (let i = 0; i < 15; i++)
      for (const { username } of people)
        expect((await logIn(office, username, password)).status).toBe(200);
    expect(statuses(await times(30, () => logIn(office)))).toEqual([401]);
    expect((await logIn(office, people[0]!.username, password)).status).toBe(429);
  });

  it('opens again when what filled its counter has succeeded', async () => {
    const [office, ada] = [unused(), await member()];
    wait(0);
    await times(29, () => logIn(office));
    for (let i = 0; i < 3; i++)
      expect((await logIn(office, ada.username, password)).status).toBe(200);
    expect((await logIn(office)).status).toBe(401);
    expect((await logIn(office, ada.username, password)).status).toBe(429);
  });

  it('signs in by a provider as often: start, callback and exchange do not count when they led to a session', async () => {
    const office = unused();
    const open = (address: string, cookie = '') =>
      fetch(address, {
        redirect: 'manual',
        headers: { ...from(office).headers, ...(cookie && { cookie }) },
      });
    wait(0);
    const start = () => authorizationRequest(url, 'gate', APP);
    for (let i = 0; i < 35; i++) {
      const { address, codeVerifier } = start();
      const sent = await open(address);
      expect(sent.status).toBe(302);
      const { search } = new URL(sent.headers.get('location')!);
      const cookie = sent.headers.getSetCookie()[0]!.split(';')[0]!;
      const back = await open(`${url}/auth/gate/callback${search}`, cookie);
      expect(back.status).toBe(303);
      const code = new URL(back.headers.get('location')!).searchParams.get('code');
      const body = { code, codeVerifier };
      const { status } = await ask('POST', '/auth/exchange', { body, ...from(office) });
      expect(status).toBe(200);
    }
    for (let i = 0; i < 30; i++) expect((await open(start().address)).status).toBe(302);
    const refused = await open(start().address);
    expect(new URL(refused.headers.get('location')!).searchParams.get('error')).toBe(
      'rate_limited',
    );
  });

  it('chooses new passwords and confirms addresses as often: valid tokens do not count', async () => {
    const office = unused();
    for (let i = 0; i < 35; i++) {
      const email = `${unusedName()}@example.com`;
      await member({ email });
      await ask('POST', '/auth/password/forgot', { body: { email }, ...from(unused()) });
      const { token } = (await mailbox.next(email)).secrets;
      const body = { token, password: 'another horse entirely' };
      const answer = await ask('POST', '/auth/password/reset', { body, ...from(office) });
      expect(answer.status, answer.text).toBe(204);
    }
    const wrong = { token: 'x'.repeat(43), password: 'another horse entirely' };
    const guess = () => ask('POST', '/auth/password/reset', { body: wrong, ...from(office) });
    expect(statuses(await times(30, guess))).toEqual([400]);
    expect((await guess()).status).toBe(429);
  });
});

describe('choosing a password with a token from a mail', () => {
  it('lets its owner in at once, from anywhere, however often strangers and neighbours have failed', async () => {
    const email = `${unusedName()}@example.com`;
    const ada = await member({ email });
    wait(0);
    await times(12, () => logIn(unused(), ada.username));
    await times(12, () => logIn(ada.ip, email));
    expect((await logIn(unused(), ada.username, password)).status).toBe(401);
    await ask('POST', '/auth/password/forgot', { body: { email }, ...from(unused()) });
    const { token } = (await mailbox.next(email)).secrets;
    const body = { token, password: 'another horse entirely' };
    expect((await ask('POST', '/auth/password/reset', { body, ...from(unused()) })).status).toBe(
      204,
    );
    expect((await logIn(unused(), ada.username, body.password)).status).toBe(200);
    expect((await logIn(ada.ip, email, body.password)).status).toBe(200);
  });
});

describe('a stolen token', () => {
  const change = (token: string, ip: string, currentPassword: string) =>
    ask('PUT', '/me/password', {
      token,
      body: { currentPassword, newPassword: 'another horse entirely' },
      ...from(ip),
    });

  it('allows ten guesses on all routes together, and keeps nobody from changing the password', async () => {
    const ada = await member();
    const own = (await logIn(ada.ip, ada.username, password)).body.accessToken as string;
    const thief = unused();
    const guesses = [
      () => change(ada.token, thief, 'a guess'),
      () =>
        ask('POST', '/auth/reauthenticate', {
          token: ada.token,
          body: { password: 'a guess' },
          ...from(thief),
        }),
      () =>
        ask('DELETE', '/me', { token: ada.token, body: { password: 'a guess' }, ...from(thief) }),
      () =>
        ask('POST', '/me/email', {
          token: ada.token,
          body: { email: 'thief@example.com', currentPassword: 'a guess' },
          ...from(thief),
        }),
    ];
    expect(statuses(await times(10, (i) => guesses[i % 4]!()))).toEqual([401]);
    for (const guess of guesses) expect((await guess()).status).toBe(429);
    expect((await change(ada.token, ada.ip, password)).status).toBe(429);
    expect((await change(own, ada.ip, password)).status).toBe(200);
  });

  it('has no more guesses elsewhere', async () => {
    const { token } = await member();
    expect(statuses(await times(10, () => change(token, unused(), 'a guess')))).toEqual([401]);
    expect((await change(token, unused(), 'a guess')).status).toBe(429);
  });
});

describe('an IPv6 /48', () => {
  it('fails to sign in 300 times in a minute, from however many networks, and locks out nobody else', async () => {
    const address = newSite();
    const ada = await member();
    wait(0);
    const all = await Promise.all(
      Array.from({ length: 10 }, (_, i) => times(30, () => logIn(address(i)))),
    );
    expect(statuses(all.flat())).toEqual([401]);
    const refused = await logIn(address(11), ada.username, password);
    expect([refused.status, refused.headers.get('ratelimit')]).toEqual([
      429,
      '"sign-in-site-60";r=0;t=60',
    ]);
    expect(refused.headers.get('ratelimit-policy')).toBe(
      '"sign-in-network-60";q=30;w=60, "sign-in-network-3600";q=300;w=3600, "sign-in-site-60";q=300;w=60, "sign-in-site-3600";q=3000;w=3600',
    );
    expect((await logIn(newSite()(1), ada.username, password)).status).toBe(200);
    expect((await logIn(unused(), ada.username, password)).status).toBe(200);
  });

  it('registers 100 users in an hour', async () => {
    const address = newSite();
    wait(0);
    const all = await times(100, (i) => signUp(address(Math.floor(i / 10))));
    expect(statuses(all)).toEqual([201]);
    expect((await signUp(address(20))).status).toBe(429);
    expect((await signUp(newSite()(1))).status).toBe(201);
  });

  it('asks so often in a minute without a token, each network 300 times', async () => {
    const address = newSite();
    wait(0);
    const nothing = (i: number) => ask('GET', '/nowhere', from(address(i)));
    const all = await times(2, (i) => times(300, () => nothing(i)));
    expect(statuses(all.flat())).toEqual([404]);
    const refused = await nothing(11);
    expect([refused.status, refused.headers.get('ratelimit')]).toEqual([
      429,
      '"anything-site-60";r=0;t=60',
    ]);
    expect((await ask('GET', '/nowhere', from(newSite()(1)))).status).toBe(404);
  });
});

describe('who is signed in, in a network that strangers have filled', () => {
  it('is counted by session: goes on, refreshes and signs out, also with a token that this server has not seen', async () => {
    const ada = await member();
    const train = unused();
    wait(0);
    await fill(train);
    expect((await me(train, ada.token)).status).toBe(200);
    const { body } = await ask('POST', '/auth/refresh', {
      body: { refreshToken: ada.tokens.refreshToken },
      ...from(train),
    });
    expect((await me(train, body.accessToken)).status).toBe(200);
    wait(601 * SECOND);
    await fill(train);
    expect((await me(train, body.accessToken)).body.code).toBe('token_expired');
    const again = await ask('POST', '/auth/refresh', {
      body: { refreshToken: body.refreshToken },
      ...from(train),
    });
    expect(again.status).toBe(200);
    for (const path of ['/auth/refresh', '/auth/logout'])
      expect(
        (await ask('POST', path, { body: { refreshToken: 'no token' }, ...from(train) })).status,
      ).toBe(429);
    const signedOut = await ask('POST', '/auth/logout', {
      body: { refreshToken: again.body.refreshToken },
      ...from(train),
    });
    expect(signedOut.status).toBe(204);
    expect((await me(train, again.body.accessToken)).body.code).toBe('session_ended');
  });

  it('may ask 300 times a minute, and takes nothing from their neighbours', async () => {
    const [ada, bob, office] = [await member(), await member(), unused()];
    wait(0);
    expect((await me(office, ada.token)).status).toBe(200); // it counts as the network’s: the token is new
    expect(statuses(await times(300, () => me(office, ada.token)))).toEqual([200]);
    const refused = await me(office, ada.token);
    expect([refused.status, refused.headers.get('ratelimit')]).toEqual([
      429,
      '"anything-session-60";r=0;t=60',
    ]);
    expect((await me(unused(), ada.token)).status).toBe(429);
    expect((await me(office, bob.token)).status).toBe(200);
    expect((await me(office)).status).toBe(401);
  });

  it('goes on with an API key or by Basic, once this server has seen it there', async () => {
    const [ada, train] = [await member(), unused()];
    const made = await ask('POST', '/me/api-keys', {
      token: ada.token,
      body: { name: 'robot', scopes: ['user'] },
      ...from(ada.ip),
    });
    expect(made.status, made.text).toBe(201);
    const withKey = (ip: string) =>
      ask('GET', '/me', { headers: { ...from(ip).headers, 'x-api-key': made.body.key } });
    wait(0);
    expect((await withKey(train)).status).toBe(200);
    expect((await basic(train, ada.username, password)).status).toBe(200);
    await fill(train);
    expect((await withKey(train)).status).toBe(200);
    expect((await basic(train, ada.username, password)).status).toBe(200);
    expect((await me(train)).status).toBe(429);
  });

  it('guesses codes by session, too: neighbours do not keep anybody from linking a provider', async () => {
    const [ada, bob, office] = [await member(), await member(), unused()];
    const link = (token: string) =>
      ask('POST', '/me/identities/far', { token, body: { subject: '' }, ...from(office) });
    wait(0);
    expect(statuses(await times(30, () => link(ada.token)))).toEqual([401]);
    const refused = await link(ada.token);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('ratelimit')).toMatch(/-session-60/);
    expect((await link(bob.token)).status).toBe(401);
  });
});

describe('a refused sign-in', () => {
  const refusals = async (work: () => Promise<unknown>) => {
    const seen: object[] = [];
    const stop = ctx.events.onAny((name, event) => {
      if (name === 'session.refused' || name === 'limit.reached') seen.push({ name, ...event });
    });
    await work();
    stop();
    return seen;
  };

  it('says whose account it was about: its id, or a keyed digest of a name that nobody has', async () => {
    const email = `${unusedName()}@example.com`;
    const [ip, ada] = [unused(), await member({ email })];
    const nobody = unusedName();
    const seen = await refusals(async () => {
      await logIn(ip, ada.username);
      await logIn(ip, email.toUpperCase());
      await basic(ip, ada.username, 'a guess');
      await logIn(ip, nobody);
      await logIn(ip, ` ${nobody.toUpperCase()}`);
      await basic(ip, nobody, 'a guess');
      await logIn(ip);
    });
    const about = { name: 'session.refused', ip, userId: ada.id };
    expect(seen.slice(0, 3)).toEqual([
      { ...about, strategy: 'local' },
      { ...about, strategy: 'local' },
      { ...about, strategy: 'basic' },
    ]);
    const accounts = seen.slice(3).map((event) => (event as { account: string }).account);
    expect(accounts[0]).toMatch(/^[\da-f]{16}$/);
    expect(new Set(accounts.slice(0, 3)).size).toBe(1);
    expect(accounts[3]).not.toBe(accounts[0]);
    expect(JSON.stringify(seen)).not.toContain(nobody);
  });

  it('says so, too, where it was not tried', async () => {
    const ada = await member();
    wait(0);
    await times(10, () => logIn(unused(), ada.username));
    expect(await refusals(() => logIn('192.0.2.1', ada.username))).toEqual([
      { name: 'limit.reached', limit: 'account', ip: '192.0.2.1', userId: ada.id },
      { name: 'session.refused', strategy: 'local', ip: '192.0.2.1', userId: ada.id },
    ]);
  });

  it('names the session whose limit was reached', async () => {
    const ada = await member();
    const guess = () =>
      ask('POST', '/auth/reauthenticate', {
        token: ada.token,
        body: { password: 'a guess' },
        ...from('192.0.2.2'),
      });
    await times(10, guess);
    expect(await refusals(guess)).toEqual([
      {
        name: 'limit.reached',
        limit: 'password',
        ip: '192.0.2.2',
        sessionId: ada.tokens.session.id,
        userId: ada.id,
      },
    ]);
  });
});

it('a sign-in costs two statements and two commits for all of its limits', async () => {
  const ada = await member();
  const address = newSite()(1);
  await logIn(address, ada.username, password);
  const statements = statementsOf(User.sequelize);
  expect((await logIn(address, ada.username, password)).status).toBe(200);
  expect(statements.filter((sql) => /limits/.test(sql))).toHaveLength(2);
  expect(statements.filter((sql) => !/^(BEGIN|START|COMMIT|SET )/.test(sql)).length).toBeLessThan(
    10,
  );
});
