import { expect, it } from 'vitest';
import { keyOf, signingKey } from '#src/keys/keyring';
import { rotateKeys, tendKeys } from '#src/keys/rotation';
import { startApp, testSecret } from '#test/support/app';
import { ecdsa, forge, read, thumbprint } from '#test/support/forge';
import { node } from '#test/support/node';

const { ctx, register, ask, env, SigningKey } = await startApp();
const ada = await register();

const secret = env.APP_SECRET;
const status = async (token: string) => (await ask('GET', '/me', { token })).status;

it('stops a node that has another APP_SECRET, with a sentence that says what to do', async () => {
  const other = testSecret();
  const { ctx: stranger } = await node({ ...env, APP_SECRET: other });
  const error = await tendKeys(stranger).catch((thrown: unknown) => thrown as Error);
  expect(error).toBeInstanceOf(Error);
  expect((error as Error).message).toBe(
    'The signing keys in this database were sealed under another APP_SECRET. Give the server that secret back, as APP_SECRET or APP_SECRET_PREVIOUS; or, to start anew, empty the table signing_keys.',
  );
  for (const canary of [secret, other])
    expect(String((error as Error).stack)).not.toContain(canary);
  expect(() => signingKey(stranger)).toThrow('The signing keys are not loaded yet.');
  expect(await SigningKey.count()).toBe(1);
});

it.each([
  ['first byte', (text: string) => (text.startsWith('A') ? 'B' : 'A') + text.slice(1)],
  ['tag', (text: string) => `${text.slice(0, 20)}${text[20] === 'A' ? 'B' : 'A'}${text.slice(21)}`],
  [
    'middle',
    (text: string) => `${text.slice(0, 100)}${text[100] === 'A' ? 'B' : 'A'}${text.slice(101)}`,
  ],
  ['length', (text: string) => text.slice(0, -4)],
  ['everything', () => ''],
])('stops a node whose key was changed in the table: %s', async (_where, change) => {
  const row = (await SigningKey.findOne())!;
  const { sealedPrivateKey } = row;
  await row.update({ sealedPrivateKey: change(sealedPrivateKey) });
  const { ctx: other } = await node(env);
  await expect(tendKeys(other)).rejects.toThrow('sealed under another APP_SECRET');
  await row.update({ sealedPrivateKey });
  await tendKeys(other);
});

it('keeps the private key sealed: nothing in the table is one', async () => {
  const [rows] = await SigningKey.sequelize!.query('SELECT * FROM signing_keys');
  const all = JSON.stringify(rows);
  const { signWith } = signingKey(ctx);
  const jwk = signWith.export({ format: 'jwk' });
  const der = signWith.export({ format: 'der', type: 'pkcs8' });
  expect(rows).toHaveLength(1);
  expect(all).not.toMatch(/BEGIN|PRIVATE|\\"d\\"/);
  for (const canary of [
    jwk.d!,
    der.toString('base64'),
    der.toString('base64url'),
    der.toString('hex'),
  ])
    expect(all).not.toContain(canary);
  const row = (await SigningKey.findOne())!;
  expect(Buffer.from(row.sealedPrivateKey, 'base64url').toString('latin1')).not.toMatch(
    /BEGIN|PRIVATE/,
  );
});

it('has the same key at every start, known by its thumbprint', async () => {
  const { kid, signWith } = signingKey(ctx);
  for (let i = 0; i < 2; i++) {
    const { ctx: started } = await node(env);
    await tendKeys(started);
    expect(signingKey(started).kid).toBe(kid);
    expect(signingKey(started).signWith.equals(signWith)).toBe(true);
  }
  await tendKeys(ctx);
  expect(signingKey(ctx).kid).toBe(kid);
  expect(kid).toBe(thumbprint(signingKey(ctx).verifyWith.export({ format: 'jwk' })));
  expect(read(ada.token).header['kid']).toBe(kid);
  expect(await status(ada.token)).toBe(200);
});

it('seals the same key differently each time', async () => {
  const { secrets } = ctx;
  const sealed = new Set(Array.from({ length: 50 }, () => secrets.seal('test', 'one')));
  expect(sealed.size).toBe(50);
  for (const text of sealed)
    expect(secrets.unseal('test', text)).toEqual({ plain: 'one', stale: false });
  expect(secrets.unseal('another purpose', secrets.seal('test', 'one'))).toBeUndefined();
});

it.each(['ES256', 'RS256'])(
  'makes one %s key when several nodes start at once on an empty table',
  async (algorithm) => {
    for (let round = 0; round < (algorithm === 'ES256' ? 5 : 1); round++) {
      await SigningKey.destroy({ where: { algorithm } });
      const nodes = [];
      for (let i = 0; i < 4; i++) nodes.push((await node({ ...env, JWT_ALG: algorithm })).ctx);
      await Promise.all(nodes.map(tendKeys));
      const kids = new Set(nodes.map((each) => signingKey(each).kid));
      expect([...kids]).toEqual([(await SigningKey.findOne({ where: { algorithm } }))!.kid]);
      expect(await SigningKey.count({ where: { algorithm } })).toBe(1);
    }
  },
);

it('makes one key when one node loads eight times at once on an empty table', async () => {
  await SigningKey.destroy({ where: {} });
  const { ctx: other } = await node(env);
  await Promise.all(Array.from({ length: 8 }, () => tendKeys(other)));
  const rows = await SigningKey.findAll();
  expect(rows.map(({ kid }) => kid)).toEqual([signingKey(other).kid]);
  expect(keyOf(other, signingKey(other).kid)).toBe(signingKey(other));
});

it('refuses what a key signed when the key is gone, though the token was used before (J-41)', async () => {
  await tendKeys(ctx);
  const { tokens } = await register();
  expect(await status(tokens.accessToken)).toBe(200);
  await SigningKey.destroy({ where: {} });
  await tendKeys(ctx);
  expect((await ask('GET', '/me', { token: tokens.accessToken })).body.code).toBe('token_expired');
  expect(await status((await register()).token)).toBe(200);
});

it('takes tokens of a key that signs no more, and signs with the newest (J-41)', async () => {
  const former = signingKey(ctx);
  const { token } = await register();
  await rotateKeys(ctx);
  await SigningKey.update(
    { createdAt: new Date(Date.now() - 301_000) },
    { where: { sequence: 1 } },
  );
  await tendKeys(ctx);
  expect(signingKey(ctx).kid).not.toBe(former.kid);
  expect(await SigningKey.count()).toBe(2);
  expect(await status(token)).toBe(200);
  const later = await register();
  expect(read(later.token).header['kid']).toBe(signingKey(ctx).kid);
  const { claims, header } = read(later.token);
  expect(await status(forge(header, claims, ecdsa(former.signWith)))).toBe(401);
  expect(await status(forge({ ...header, kid: former.kid }, claims, ecdsa(former.signWith)))).toBe(
    200,
  );
  await SigningKey.destroy({ where: { kid: former.kid } });
  await tendKeys(ctx);
  expect(await status(token)).toBe(401);
  expect(await status(later.token)).toBe(200);
});

it('keeps taking ES256 tokens after JWT_ALG became RS256 or HS256, and signs with the new one', async () => {
  const { kid } = signingKey(ctx);
  const JWT_SECRET = testSecret();
  for (const [changes, algorithm] of [
    [{ JWT_ALG: 'RS256' }, 'RS256'],
    [{ JWT_ALG: 'HS256', JWT_SECRET }, 'HS256'],
  ] as const) {
    const { ctx: other } = await node({ ...env, ...changes });
    await tendKeys(other);
    expect(signingKey(other).algorithm).toBe(algorithm);
    expect(keyOf(other, kid)?.algorithm).toBe('ES256');
  }
});

it.each(['', '__proto__', 'constructor', '../../dev/null', "' OR 1=1"])(
  'knows no key of the id %j (J-13)',
  (kid) => {
    expect(keyOf(ctx, kid)).toBeUndefined();
  },
);

it('never lets a key be changed', () => {
  const key = signingKey(ctx);
  expect(Object.isFrozen(key)).toBe(true);
  expect(() => Object.assign(key, { algorithm: 'HS256' })).toThrow(TypeError);
});
