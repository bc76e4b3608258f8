import { expect, it } from 'vitest';
import { startApp, testSecret } from '#test/support/app';
import { node } from '#test/support/node';
import { rounds } from '#test/support/rounds';

const old = testSecret();
const { SigningKey } = await startApp({ APP_SECRET: old });
const fresh = testSecret();
const WRONG = 'sealed under another APP_SECRET. Give the server that secret back, as APP_SECRET or APP_SECRET_PREVIOUS';

const sealed = async () => (await SigningKey.findAll({ order: ['sequence'] })).map(({ sealedPrivateKey }) => sealedPrivateKey);
/** One key, sealed under the old secret; answers its id. */
async function startAnew(): Promise<string> {
  await SigningKey.destroy({ where: {} });
  const { tendKeys, signingKey } = await node({ APP_SECRET: old });
  await tendKeys();
  return signingKey().kid;
}

it('does not start with a new secret alone, says what to do, and changes nothing', async () => {
  await startAnew();
  const before = await sealed();
  for (const env of [{ APP_SECRET: fresh }, { APP_SECRET: fresh, APP_SECRET_PREVIOUS: testSecret() }]) {
    const { tendKeys, signingKey } = await node(env);
    await expect(tendKeys()).rejects.toThrow(WRONG);
    expect(() => signingKey()).toThrow('not loaded');
  }
  expect(await sealed()).toEqual(before);
});

it('opens keys with the previous secret and seals each again at the start, after which the new one is enough', async () => {
  const kid = await startAnew();
  const oldNode = await node({ APP_SECRET: old });
  await oldNode.rotateKeys();
  const before = await sealed();
  expect(before).toHaveLength(2);

  const between = await node({ APP_SECRET: fresh, APP_SECRET_PREVIOUS: old });
  await between.tendKeys();
  expect(between.signingKey().kid).toBe(kid);
  const after = await sealed();
  expect(after).toHaveLength(2);
  for (const text of after) expect(before).not.toContain(text);

  const newNode = await node({ APP_SECRET: fresh });
  await newNode.tendKeys();
  expect(newNode.signingKey().kid).toBe(kid);
  expect(newNode.publicKeys()).toHaveLength(2);
  expect(newNode.signingKey().signWith.equals(between.signingKey().signWith)).toBe(true);
  await expect((await node({ APP_SECRET: old })).tendKeys()).rejects.toThrow(WRONG);
});

it('writes once: what is sealed under the new secret stays as it is', async () => {
  await startAnew();
  const both = { APP_SECRET: fresh, APP_SECRET_PREVIOUS: old };
  const first = await node(both);
  await first.tendKeys();
  const after = await sealed();
  for (const again of [first, await node(both)]) {
    again.statements.length = 0;
    await again.tendKeys();
    expect(again.statements.filter((sql) => !sql.startsWith('SELECT'))).toEqual([]);
  }
  expect(await sealed()).toEqual(after);
});

it('seals nothing again where no previous secret is set', async () => {
  await startAnew();
  const before = await sealed();
  await (await node({ APP_SECRET: old })).tendKeys();
  expect(await sealed()).toEqual(before);
});

it('keeps nodes of both kinds going while a change rolls through them, in either direction and back', async () => {
  const kid = await startAnew();
  const ahead = { APP_SECRET: fresh, APP_SECRET_PREVIOUS: old };
  const behind = { APP_SECRET: old, APP_SECRET_PREVIOUS: fresh };
  const running = [await node(behind), await node(ahead)];
  for (let round = 0; round < rounds(3, 30); round++) {
    const started = await node(round % 2 ? ahead : behind);
    await Promise.all([...running, started].map(({ tendKeys }) => tendKeys()));
    for (const { signingKey, keyOf } of [...running, started]) {
      expect(signingKey().kid).toBe(kid);
      expect(keyOf(kid)).toBe(signingKey());
    }
  }
  for (const maker of running) await maker.replaceKeys();
  for (const { tendKeys } of running) await tendKeys();
  const [made] = await SigningKey.findAll();
  for (const { signingKey } of running) expect(signingKey().kid).toBe(made!.kid);
  await running[1]!.tendKeys();
  const done = await node({ APP_SECRET: fresh });
  await done.tendKeys();
  expect(done.signingKey().kid).toBe(made!.kid);
});
