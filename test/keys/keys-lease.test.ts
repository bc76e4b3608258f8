import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import type { Context } from '#src/context';
import { keyOf, publicKeys, signingKey } from '#src/keys/keyring';
import { replaceKeys, rotateKeys, tendKeys } from '#src/keys/rotation';
import { openContext } from '#src/open-context';
import { parseSettings, settingsFrom } from '#src/platform/settings/read';
import { testEnv } from '#test/support/app';
import { emptyDatabase } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import { node } from '#test/support/node';
import { rounds } from '#test/support/rounds';

// No server runs here: it would look at the table each half minute, too.
const env = testEnv(await emptyDatabase());
const ctx = await openContext(parseSettings(settingsFrom(env)));
const { SigningKey, sequelize } = ctx.db;
afterAll(() => ctx.close());
afterEach(() => void vi.restoreAllMocks());

const stored = async () =>
  (await SigningKey.findAll({ order: ['sequence'] })).map(({ kid }) => kid);
const setBack = (days: number) => {
  const then = new Date(Date.now() - days * 24 * 3600_000).toISOString();
  return sequelize.query('UPDATE signing_keys SET created_at = $1', {
    bind: [then.replace('T', ' ').replace('Z', '')],
  });
};
const newNode = async () => (await node(env)).ctx;

describe('several nodes at once', () => {
  const fleet = async () => [await newNode(), await newNode(), await newNode(), await newNode()];

  async function expectOneMade(
    nodes: Context[],
    work: (node: Context) => Promise<unknown>[],
  ): Promise<void> {
    const made: string[] = [];
    const stop = nodes.map(({ events }) => events.on('key.made', ({ kid }) => made.push(kid)));
    await SigningKey.destroy({ where: {} });
    await tendKeys(ctx);
    const [first] = await stored();
    await setBack(31);
    await Promise.all(nodes.flatMap(work));
    for (const end of stop) end();
    const [oldest, ...others] = await stored();
    expect(oldest).toBe(first);
    expect(others).toEqual(made);
    expect(made).toHaveLength(1);
    await Promise.all(nodes.map(tendKeys));
    for (const each of nodes) {
      expect(publicKeys(each).map(({ kid }) => kid)).toEqual([first, made[0]]);
      expect(signingKey(each).kid).toBe(first);
    }
  }

  it('make one key when it is time', async () => {
    const nodes = await fleet();
    for (let round = 0; round < rounds(3, 30); round++)
      await expectOneMade(nodes, (each) => [tendKeys(each), tendKeys(each)]);
  });

  it('make one key when all are asked to, and tell the same', async () => {
    const nodes = await fleet();
    for (let round = 0; round < rounds(3, 30); round++) {
      const told: string[] = [];
      const rotate = async (each: Context) => told.push((await rotateKeys(each)).row.kid);
      await expectOneMade(nodes, (each) => [rotate(each), rotate(each)]);
      expect(new Set(told)).toEqual(new Set((await stored()).slice(1)));
      expect(told).toHaveLength(8);
    }
  });

  it('make one key when some are asked to while for others it is time', async () => {
    const nodes = await fleet();
    for (let round = 0; round < rounds(3, 30); round++)
      await expectOneMade(nodes, (each) => [rotateKeys(each), tendKeys(each)]);
  });
});

describe('several nodes that replace keys', () => {
  /**
   * They do this at once over a single key: all then agree on the key that signs, and none knows
   * the one before. Answers what is left.
   */
  async function expectAgreed(
    nodes: readonly Context[],
    work: (node: Context) => Promise<unknown>[],
  ): Promise<string[]> {
    await SigningKey.destroy({ where: {} });
    await tendKeys(ctx);
    const before = signingKey(ctx).kid;
    await Promise.all(nodes.map(tendKeys));
    await Promise.all(nodes.flatMap(work));
    const left = await stored();
    await Promise.all(nodes.map(tendKeys));
    for (const each of nodes) {
      expect(signingKey(each).kid).toBe(left[0]);
      expect(keyOf(each, before)).toBeUndefined();
    }
    return left;
  }
  const fleet = async () => [ctx, await newNode(), await newNode(), await newNode()];

  it('leave one key, which all agree on, when they replace keys at once', async () => {
    const nodes = await fleet();
    for (let round = 0; round < rounds(3, 30); round++)
      expect(
        await expectAgreed(nodes, (each) => [replaceKeys(each), replaceKeys(each)]),
      ).toHaveLength(1);
  });

  it('agree when one replaces keys while the others rotate and tend', async () => {
    const nodes = await fleet();
    for (let round = 0; round < rounds(3, 30); round++)
      await expectAgreed(nodes, (each) => [
        replaceKeys(each),
        round % 2 ? rotateKeys(each) : tendKeys(each),
      ]);
  });

  it('agree when one rotates in the middle of what another replaces', async () => {
    const other = await newNode();
    const sent: string[] = [];
    const { options } = other.db.sequelize as unknown as {
      options: { logging: (sql: string) => void };
    };
    options.logging = (sql) => void sent.push(sql);
    const destroy = SigningKey.destroy.bind(SigningKey);
    for (let round = 0; round < rounds(5, 50); round++) {
      await SigningKey.destroy({ where: {} });
      for (const each of [ctx, other]) await tendKeys(each);
      const [reached, going] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      vi.spyOn(SigningKey, 'destroy').mockImplementationOnce(async (options) => {
        reached.resolve();
        await going.promise;
        return destroy(options);
      });
      const replacing = replaceKeys(ctx);
      await reached.promise;
      const rotating = rotateKeys(other);
      await eventually(() => expect(sent.at(-1)).toMatch(/INSERT|BEGIN/));
      await sleep(30);
      going.resolve();
      await Promise.all([replacing, rotating]);
      for (const each of [ctx, other]) await tendKeys(each);
      expect(signingKey(other).kid).toBe(signingKey(ctx).kid);
      expect((await stored())[0]).toBe(signingKey(ctx).kid);
    }
  });
});
