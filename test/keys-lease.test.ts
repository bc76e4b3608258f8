import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { testSecret } from '#test/support/app';
import { emptyDatabase } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import { node } from '#test/support/node';
import { rounds } from '#test/support/rounds';

// No server runs here: it would look at the table each half minute, too.
const databaseUrl = await emptyDatabase();
Object.assign(process.env, { DATABASE_URL: databaseUrl, APP_SECRET: testSecret(), LOG_LEVEL: 'silent' });
const { migrate } = await import('#migrations/index');
const { connect, SigningKey } = await import('#models/index');
const keys = { ...(await import('#src/keys/keys')), ...(await import('#src/keys/rotation')) };
await migrate(databaseUrl);
const database = connect(databaseUrl);
afterAll(() => database.close());
afterEach(() => void vi.restoreAllMocks());

const stored = async () => (await SigningKey.findAll({ order: ['sequence'] })).map(({ kid }) => kid);
const setBack = (days: number) => {
  const then = new Date(Date.now() - days * 24 * 3600_000).toISOString();
  return database.query('UPDATE signing_keys SET created_at = $1', { bind: [then.replace('T', ' ').replace('Z', '')] });
};

describe('several nodes at once', () => {
  const fleet = async () => [await node(), await node(), await node(), await node()];
  type Node = Awaited<ReturnType<typeof node>>;

  async function expectOneMade(nodes: Node[], work: (node: Node) => Promise<unknown>[]): Promise<void> {
    const made: string[] = [];
    const stop = nodes.map(({ subscribe }) => subscribe((name, fact) => name === 'key.made' && made.push((fact as { kid: string }).kid)));
    await SigningKey.destroy({ where: {} });
    await keys.tendKeys();
    const [first] = await stored();
    await setBack(31);
    await Promise.all(nodes.flatMap(work));
    for (const end of stop) end();
    const [oldest, ...others] = await stored();
    expect(oldest).toBe(first);
    expect(others).toEqual(made);
    expect(made).toHaveLength(1);
    await Promise.all(nodes.map(({ tendKeys }) => tendKeys()));
    for (const { publicKeys, signingKey } of nodes) {
      expect(publicKeys().map(({ kid }) => kid)).toEqual([first, made[0]]);
      expect(signingKey().kid).toBe(first);
    }
  }

  it('make one key when it is time', async () => {
    const nodes = await fleet();
    for (let round = 0; round < rounds(3, 30); round++) await expectOneMade(nodes, ({ tendKeys }) => [tendKeys(), tendKeys()]);
  });

  it('make one key when all are asked to, and tell the same', async () => {
    const nodes = await fleet();
    for (let round = 0; round < rounds(3, 30); round++) {
      const told: string[] = [];
      const rotate = async ({ rotateKeys }: Node) => told.push((await rotateKeys()).row.kid);
      await expectOneMade(nodes, (node) => [rotate(node), rotate(node)]);
      expect(new Set(told)).toEqual(new Set((await stored()).slice(1)));
      expect(told).toHaveLength(8);
    }
  });

  it('make one key when some are asked to while for others it is time', async () => {
    const nodes = await fleet();
    for (let round = 0; round < rounds(3, 30); round++)
      await expectOneMade(nodes, ({ rotateKeys, tendKeys }) => [rotateKeys(), tendKeys()]);
  });
});

describe('several nodes that replace keys', () => {
  type Node = Pick<typeof keys, 'tendKeys' | 'replaceKeys' | 'rotateKeys' | 'signingKey' | 'keyOf'>;
  /** They do this at once over a single key: all then agree on the key that signs, and none knows the one before. Answers what is left. */
  async function expectAgreed(nodes: readonly Node[], work: (node: Node) => Promise<unknown>[]): Promise<string[]> {
    await SigningKey.destroy({ where: {} });
    await keys.tendKeys();
    const before = keys.signingKey().kid;
    await Promise.all(nodes.map(({ tendKeys }) => tendKeys()));
    await Promise.all(nodes.flatMap(work));
    const left = await stored();
    await Promise.all(nodes.map(({ tendKeys }) => tendKeys()));
    for (const { signingKey, keyOf } of nodes) {
      expect(signingKey().kid).toBe(left[0]);
      expect(keyOf(before)).toBeUndefined();
    }
    return left;
  }

  it('leave one key, which all agree on, when they replace keys at once', async () => {
    const nodes = [keys, await node(), await node(), await node()];
    for (let round = 0; round < rounds(3, 30); round++)
      expect(await expectAgreed(nodes, ({ replaceKeys }) => [replaceKeys(), replaceKeys()])).toHaveLength(1);
  });

  it('agree when one replaces keys while the others rotate and tend', async () => {
    const nodes = [keys, await node(), await node(), await node()];
    for (let round = 0; round < rounds(3, 30); round++)
      await expectAgreed(nodes, (node) => [node.replaceKeys(), round % 2 ? node.rotateKeys() : node.tendKeys()]);
  });

  it('agree when one rotates in the middle of what another replaces', async () => {
    const other = await node();
    const destroy = SigningKey.destroy.bind(SigningKey);
    for (let round = 0; round < rounds(5, 50); round++) {
      await SigningKey.destroy({ where: {} });
      for (const { tendKeys } of [keys, other]) await tendKeys();
      const [reached, going] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      vi.spyOn(SigningKey, 'destroy').mockImplementationOnce(async (options) => {
        reached.resolve();
        await going.promise;
        return destroy(options);
      });
      const replacing = keys.replaceKeys();
      await reached.promise;
      const rotating = other.rotateKeys();
      await eventually(() => expect(other.statements.at(-1)).toMatch(/INSERT|BEGIN/));
      await sleep(30);
      going.resolve();
      await Promise.all([replacing, rotating]);
      for (const { tendKeys } of [keys, other]) await tendKeys();
      expect(other.signingKey().kid).toBe(keys.signingKey().kid);
      expect((await stored())[0]).toBe(keys.signingKey().kid);
    }
  });
});
