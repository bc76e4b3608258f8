import { randomBytes } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { keyOf, signingKey } from '#src/keys/keyring';
import { newKey, replaceKeys, tendKeys } from '#src/keys/rotation';
import { startApp } from '#test/support/app';
import { eventually } from '#test/support/eventually';
import { ecdsa, forge, read } from '#test/support/forge';
import { node } from '#test/support/node';
import { statementsOf } from '#test/support/statements';
import { settingsFor, startProcess } from '#test/support/process';
import { long } from '#test/support/rounds';

// The server does nothing of its own accord: all its statements are counted.
vi.useFakeTimers({ toFake: ['setInterval'] });
const { ctx, ask, databaseUrl, env, register, SigningKey } = await startApp();
vi.useRealTimers();
const database = SigningKey.sequelize!;
const ada = await register();

const DAY = 24 * 3600_000;
const stored = async () =>
  (await SigningKey.findAll({ order: ['sequence'] })).map(({ kid }) => kid);
const randomKid = () => randomBytes(32).toString('base64url');
/** Ada's token as a node would sign it that has another key, of this id. */
const signedElsewhere = (kid: unknown, { signWith } = signingKey(ctx)) => {
  const { header, claims } = read(ada.token);
  return forge({ ...header, kid }, claims, ecdsa(signWith));
};
const setBack = (days: number) =>
  database.query('UPDATE signing_keys SET created_at = $1', {
    bind: [new Date(Date.now() - days * DAY).toISOString().replace('T', ' ').replace('Z', '')],
  });

describe('a token with a key that is not known', () => {
  const SHAPES: [string, unknown][] = [
    ['a letter short', randomKid().slice(1)],
    ['a letter long', `${randomKid()}A`],
    ['not base64url', `${randomKid().slice(1)}+`],
    ['a line more', `${randomKid()}\n`],
    ['empty', ''],
    ['a path', '../../../../../../../../../../dev/null/xxxx'],
    ['a statement', "' OR 1=1 -- aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"],
    ['a URL', 'https://attacker.example/keys/aaaaaaaaaaaaa'],
    ['43 letters of another script', 'ключ'.repeat(11).slice(1)],
    ['very long', 'A'.repeat(2000)],
    ['a number', 43],
    ['a list', [randomKid()]],
    ['null', null],
    ['missing', undefined],
  ];

  it('costs no query when the id has the shape of none', async () => {
    const statements = statementsOf(database, () => true);
    for (const [name, kid] of SHAPES) {
      const { status, body } = await ask('GET', '/me', { token: signedElsewhere(kid) });
      expect([status, body.code], name).toEqual([401, 'token_invalid']);
    }
    expect(statements).toEqual([]);
  });

  it('makes a node look once in five seconds, however many come', async () => {
    const statements = statementsOf(database, () => true);
    const start = performance.now();
    for (let batch = 0; batch < 10; batch++) {
      const asked = Array.from({ length: 20 }, () =>
        ask('GET', '/me', { token: signedElsewhere(randomKid()) }),
      );
      for (const { status, body } of await Promise.all(asked))
        expect([status, body.code]).toEqual([401, 'token_invalid']);
    }
    const looks = 1 + Math.floor((performance.now() - start) / 5000);
    expect(statements.length).toBeGreaterThan(0);
    expect(statements.length).toBeLessThanOrEqual(looks);
    expect(statements[0]).toMatch(/^SELECT .* FROM .signing_keys./);
    expect(await ada.ask('GET', '/me')).toMatchObject({ status: 200 });
  });

  it('is looked up by a node that has not heard of a key yet, and not by one that knows it', async () => {
    const { ctx: other, statements } = await node(env);
    await tendKeys(other);
    const former = signingKey(other).kid;
    await replaceKeys(ctx);
    await tendKeys(ctx);
    const { kid } = signingKey(ctx);
    statements.length = 0;
    expect(keyOf(other, kid)).toBeUndefined();
    const found = await Promise.all(Array.from({ length: 20 }, () => newKey(other, kid)));
    expect(new Set(found.map((key) => key?.kid))).toEqual(new Set([kid]));
    expect(statements).toHaveLength(1);
    expect(await newKey(other, randomKid())).toBeUndefined();
    expect(statements).toHaveLength(1);
    expect([keyOf(other, kid)?.kid, keyOf(other, former)]).toEqual([kid, undefined]);
  });
});

// Two looks are five seconds apart, and that clock is not moved.
it.runIf(long)('looks again after a while, while strangers go on asking', async () => {
  const { ctx: other, statements } = await node(env);
  await newKey(other, randomKid());
  await replaceKeys(ctx);
  await tendKeys(ctx);
  const { kid } = signingKey(ctx);
  await eventually(async () => expect((await newKey(other, kid))?.kid).toBe(kid));
  expect(statements).toHaveLength(2);
});

it('starts two servers over a key of 31 days: they make one more, show the same, and take each other’s tokens', async () => {
  const settings = settingsFor(databaseUrl, { APP_SECRET: env.APP_SECRET });
  await SigningKey.destroy({ where: {} });
  await tendKeys(ctx);
  const [first] = await stored();
  await setBack(31);
  const nodes = await Promise.all([startProcess(settings), startProcess(settings)]);
  const kids = await stored();
  expect(kids).toHaveLength(2);
  expect(kids[0]).toBe(first);
  for (const { ask } of nodes) {
    const { body } = await ask('GET', '/.well-known/jwks.json');
    expect(body.keys.map(({ kid }: { kid: string }) => kid)).toEqual(kids);
  }
  // Keys are replaced here: neither process has heard of the new one when it is first met with it.
  const before = await register();
  await replaceKeys(ctx);
  await tendKeys(ctx);
  const after = await register();
  expect(read(after.token).header['kid']).toBe(signingKey(ctx).kid);
  for (const { ask } of nodes) {
    expect((await ask('GET', '/me', { token: before.token })).status).toBe(200);
    expect((await ask('GET', '/me', { token: after.token })).status).toBe(200);
    expect((await ask('GET', '/me', { token: before.token })).body.code).toBe('token_expired');
    const { body } = await ask('GET', '/.well-known/jwks.json');
    expect(body.keys).toMatchObject([{ kid: signingKey(ctx).kid }]);
  }
});
