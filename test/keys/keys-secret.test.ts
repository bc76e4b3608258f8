import { expect, it } from 'vitest';
import { keyOf, publicKeys, signingKey } from '#src/keys/keyring';
import { replaceKeys, rotateKeys, tendKeys } from '#src/keys/rotation';
import { startApp, testSecret } from '#test/support/app';
import { node } from '#test/support/node';
import { rounds } from '#test/support/rounds';

const old = testSecret();
const { env, SigningKey } = await startApp({ APP_SECRET: old });
const fresh = testSecret();
const WRONG =
  'sealed under another APP_SECRET. Give the server that secret back, as APP_SECRET or APP_SECRET_PREVIOUS';

/** A node on this database that has these secrets. */
const nodeWith = (secrets: { APP_SECRET: string; APP_SECRET_PREVIOUS?: string }) =>
  node({ ...env, ...secrets });
const sealed = async () =>
  (await SigningKey.findAll({ order: ['sequence'] })).map(
    ({ sealedPrivateKey }) => sealedPrivateKey,
  );
/** One key, sealed under the old secret; answers its id. */
async function startAnew(): Promise<string> {
  await SigningKey.destroy({ where: {} });
  const { ctx } = await nodeWith({ APP_SECRET: old });
  await tendKeys(ctx);
  return signingKey(ctx).kid;
}

it('does not start with a new secret alone, says what to do, and changes nothing', async () => {
  await startAnew();
  const before = await sealed();
  for (const secrets of [
    { APP_SECRET: fresh },
    { APP_SECRET: fresh, APP_SECRET_PREVIOUS: testSecret() },
  ]) {
    const { ctx } = await nodeWith(secrets);
    await expect(tendKeys(ctx)).rejects.toThrow(WRONG);
    expect(() => signingKey(ctx)).toThrow('not loaded');
  }
  expect(await sealed()).toEqual(before);
});

it('opens keys with the previous secret and seals each again at the start, after which the new one is enough', async () => {
  const kid = await startAnew();
  const oldNode = await nodeWith({ APP_SECRET: old });
  await rotateKeys(oldNode.ctx);
  const before = await sealed();
  expect(before).toHaveLength(2);

  const { ctx: between } = await nodeWith({ APP_SECRET: fresh, APP_SECRET_PREVIOUS: old });
  await tendKeys(between);
  expect(signingKey(between).kid).toBe(kid);
  const after = await sealed();
  expect(after).toHaveLength(2);
  for (const text of after) expect(before).not.toContain(text);

  const { ctx: newNode } = await nodeWith({ APP_SECRET: fresh });
  await tendKeys(newNode);
  expect(signingKey(newNode).kid).toBe(kid);
  expect(publicKeys(newNode)).toHaveLength(2);
  expect(signingKey(newNode).signWith.equals(signingKey(between).signWith)).toBe(true);
  await expect(tendKeys((await nodeWith({ APP_SECRET: old })).ctx)).rejects.toThrow(WRONG);
});

it('writes once: what is sealed under the new secret stays as it is', async () => {
  await startAnew();
  const both = { APP_SECRET: fresh, APP_SECRET_PREVIOUS: old };
  const first = await nodeWith(both);
  await tendKeys(first.ctx);
  const after = await sealed();
  for (const again of [first, await nodeWith(both)]) {
    again.statements.length = 0;
    await tendKeys(again.ctx);
    expect(again.statements.filter((sql) => !sql.startsWith('SELECT'))).toEqual([]);
  }
  expect(await sealed()).toEqual(after);
});

it('seals nothing again where no previous secret is set', async () => {
  await startAnew();
  const before = await sealed();
  await tendKeys((await nodeWith({ APP_SECRET: old })).ctx);
  expect(await sealed()).toEqual(before);
});

it('keeps nodes of both kinds going while a change rolls through them, in either direction and back', async () => {
  const kid = await startAnew();
  const ahead = { APP_SECRET: fresh, APP_SECRET_PREVIOUS: old };
  const behind = { APP_SECRET: old, APP_SECRET_PREVIOUS: fresh };
  const running = [(await nodeWith(behind)).ctx, (await nodeWith(ahead)).ctx];
  for (let round = 0; round < rounds(3, 30); round++) {
    const { ctx: started } = await nodeWith(round % 2 ? ahead : behind);
    await Promise.all([...running, started].map(tendKeys));
    for (const ctx of [...running, started]) {
      expect(signingKey(ctx).kid).toBe(kid);
      expect(keyOf(ctx, kid)).toBe(signingKey(ctx));
    }
  }
  for (const maker of running) await replaceKeys(maker);
  for (const ctx of running) await tendKeys(ctx);
  const [made] = await SigningKey.findAll();
  for (const ctx of running) expect(signingKey(ctx).kid).toBe(made!.kid);
  await tendKeys(running[1]!);
  const { ctx: done } = await nodeWith({ APP_SECRET: fresh });
  await tendKeys(done);
  expect(signingKey(done).kid).toBe(made!.kid);
});
