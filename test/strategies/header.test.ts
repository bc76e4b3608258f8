import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { StrategyContext } from '#src/strategy-kit/strategy';
import { startApp } from '#test/support/app';
import { loadWith } from '#test/support/loading';
import { rounds } from '#test/support/rounds';
import { statementsOf } from '#test/support/statements';

const app = await startApp({
  TRUST_PROXY: '127.0.0.3, 127.0.1.0/24',
  HEADER_USER: 'X-Remote-User',
  HEADER_EMAIL: 'X-Remote-Email',
  HEADER_EMAIL_DOMAINS: 'corp.test',
});
const { url, ask, auth, register, Identity, Session, User } = app;
const statements = statementsOf(User.sequelize);

/** A request from another address of this machine. */
const from = (localAddress: string, headers: Record<string, string | string[]>, path = '/me') =>
  new Promise<{ status: number; body: Record<string, unknown> & { code?: string } }>(
    (resolve, reject) => {
      const asked = request(url + path, { localAddress, headers, agent: false }, async (answer) => {
        const text = (await answer.toArray()).join('');
        resolve({ status: answer.statusCode!, body: text ? JSON.parse(text) : {} });
      });
      asked.once('error', reject).end();
    },
  );
const proxied = (headers: Record<string, string | string[]>) => from('127.0.0.3', headers);
let people = 0;
const somebody = () => `person${++people}`;

describe('a name in a header', () => {
  it('is believed when a trusted proxy sends it: from then on it is one user', async () => {
    const name = somebody();
    const first = await proxied({ 'x-remote-user': name, 'x-remote-email': `${name}@corp.test` });
    expect([first.status, first.body]).toMatchObject([
      200,
      { username: name, email: `${name}@corp.test`, emailVerified: true, roles: ['user'] },
    ]);
    const again = await from('127.0.1.77', { 'X-REMOTE-USER': name });
    expect(again.body['id']).toBe(first.body['id']);
    expect(await Session.count({ where: { userId: first.body['id'] as string } })).toBe(0);
  });

  it.each(['127.0.0.1', '127.0.0.2', '127.0.2.1'])(
    'is air when anybody else sends it, from %s',
    async (address) => {
      const before = await User.count();
      const forwarded = {
        'x-forwarded-for': '127.0.0.3',
        forwarded: 'for=127.0.0.3',
        'x-real-ip': '127.0.0.3',
      };
      for (const more of [{}, forwarded]) {
        const { status, body } = await from(address, { 'x-remote-user': somebody(), ...more });
        expect([status, body.code]).toEqual([401, 'token_missing']);
      }
      expect(await User.count()).toBe(before);
    },
  );

  it('changes nothing about a token: it is still read where the header is not believed', async () => {
    const ada = await register();
    expect(
      (await ask('GET', '/me', { token: ada.token, headers: { 'x-remote-user': somebody() } })).body
        .id,
    ).toBe(ada.id);
  });

  it.each([
    ['twice', { 'x-remote-user': ['ida', 'root'] }],
    ['twice, the same', { 'x-remote-user': ['ida', 'ida'] }],
    [
      'once, with two addresses',
      { 'x-remote-user': 'ida', 'x-remote-email': ['a@corp.test', 'b@corp.test'] },
    ],
  ])('is refused when it is there %s', async (_what, headers) => {
    const before = await User.count();
    const { status, body } = await proxied(headers);
    expect([status, body.code]).toEqual([400, 'invalid_request']);
    expect(await User.count()).toBe(before);
  });

  it('is one credential: with another one the request is refused', async () => {
    const ada = await register();
    const before = await User.count();
    for (const more of [
      { authorization: `Bearer ${ada.token}` },
      { authorization: 'Bearer x.y.z' },
      { authorization: 'Basic YTpi' },
    ]) {
      const { status, body } = await proxied({ 'x-remote-user': somebody(), ...more });
      expect([status, body]).toMatchObject([400, { errors: [{ code: 'two_credentials' }] }]);
    }
    expect(await User.count()).toBe(before);
    for (const name of ['', '(null)'])
      expect(
        (await proxied({ 'x-remote-user': name, authorization: `Bearer ${ada.token}` })).body['id'],
      ).toBe(ada.id);
  });

  it('is in the API documentation under the name that is configured', async () => {
    const { body } = await ask('GET', '/openapi.json');
    expect(body.components.securitySchemes.header).toMatchObject({
      type: 'apiKey',
      in: 'header',
      name: 'X-Remote-User',
    });
  });

  it('is nobody when it is empty, or what a proxy writes that has no name', async () => {
    for (const name of ['', '   ', '(null)', 'undefined'])
      expect((await proxied({ 'x-remote-user': name })).body.code).toBe('token_missing');
  });

  it.each([
    ['600 letters', 'x'.repeat(600)],
    ['a tab', 'a\tb'],
  ])('that nobody can have is refused: %s', async (_what, name) => {
    const before = await Identity.count();
    expect((await proxied({ 'x-remote-user': name })).body.code).toBe('invalid_request');
    expect(await Identity.count()).toBe(before);
  });

  it('is believed about the addresses of its domains alone: with another, nobody becomes somebody else', async () => {
    const email = `${somebody()}@elsewhere.test`;
    const ada = await register({ email });
    const { status, body } = await proxied({
      'x-remote-user': somebody(),
      'x-remote-email': email,
    });
    expect([status, body.code]).toEqual([409, 'already_linked']);
    const strange = await proxied({
      'x-remote-user': somebody(),
      'x-remote-email': `${somebody()}@corp.test.evil.test`,
    });
    expect(strange.body).toMatchObject({ emailVerified: false });
    expect((await ada.ask('GET', '/me')).body.id).toBe(ada.id);
  });

  it('does not become the user who has that name here already', async () => {
    const ada = await register({}, 'admin');
    const { body } = await proxied({ 'x-remote-user': ada.username });
    expect(body['id']).not.toBe(ada.id);
    expect(body).toMatchObject({ roles: ['user'] });
    expect(body['username']).not.toBe(ada.username);
  });

  it('makes one user of twenty first requests at once', async () => {
    for (let round = 0; round < rounds(2, 30); round++) {
      const name = somebody();
      const answers = await Promise.all(
        Array.from({ length: 20 }, () =>
          proxied({ 'x-remote-user': name, 'x-remote-email': `${name}@corp.test` }),
        ),
      );
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      expect(new Set(answers.map(({ body }) => body['id'])).size).toBe(1);
      expect(await Identity.count({ where: { provider: 'header', subject: name } })).toBe(1);
      expect(await User.count({ where: { emailCanonical: `${name}@corp.test` } })).toBe(1);
    }
  });

  it('costs two queries at most from the second request on, and writes nothing', async () => {
    const name = somebody();
    await proxied({ 'x-remote-user': name });
    statements.length = 0;
    await proxied({ 'x-remote-user': name });
    expect(statements.length).toBeLessThanOrEqual(2);
    expect(statements.filter((sql) => !sql.startsWith('SELECT'))).toEqual([]);
  });

  it('opens nothing once its user is disabled', async () => {
    const name = somebody();
    const { body } = await proxied({ 'x-remote-user': name });
    await auth.users.disable(body['id'] as string);
    expect((await proxied({ 'x-remote-user': name })).body.code).toBe('user_disabled');
  });
});

describe('TRUST_PROXY', () => {
  const loaded = (TRUST_PROXY: string) =>
    loadWith(app, { TRUST_PROXY, HEADER_USER: 'x-remote-user', HEADER_EMAIL: '' });
  /** Whom the strategy names when a request comes from there. */
  async function asked(TRUST_PROXY: string, remoteAddress: string): Promise<string> {
    const { on, contexts } = await loaded(TRUST_PROXY);
    const strategy = on.find(({ name }) => name === 'header')!;
    const resolveUser = ({ subject }: { subject: unknown }) => Promise.resolve(subject as never);
    const context = contexts.get('header') as StrategyContext<never>;
    const made = strategy.create({ ...context, resolveUser });
    return new Promise((resolve, reject) => {
      const outcomes = { success: resolve, fail: () => resolve('nobody'), error: reject };
      const req = {
        socket: { remoteAddress },
        headersDistinct: { 'x-remote-user': ['ida'] },
        headers: {},
      };
      Object.assign(Object.create(made) as typeof made, outcomes).authenticate(
        req as never,
        {} as never,
      );
    });
  }

  it('is needed: without it the server does not start', async () => {
    await expect(loaded('0')).rejects.toThrow(
      'strategies/header.ts cannot be used: it believes a proxy, and TRUST_PROXY names none',
    );
  });

  it.each([
    ['127.0.0.1', 'ida'],
    ['::ffff:127.0.0.1', 'ida'],
    ['::1', 'ida'],
    ['10.0.0.1', 'nobody'],
    ['::ffff:10.0.0.1', 'nobody'],
    ['fe80::1', 'nobody'],
    ['', 'nobody'],
  ])('as a number believes this machine alone: %s is %s', async (address, who) => {
    expect(await asked('1', address)).toBe(who);
  });
});
