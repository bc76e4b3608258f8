import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeEach, expect, it, vi } from 'vitest';
import { keySchedules } from '#src/keys/key-schedule';
import { publicKeys, signingKey } from '#src/keys/keyring';
import { newKey, replaceKeys, rotateKeys, tendKeys } from '#src/keys/rotation';
import { openContext } from '#src/open-context';
import { parseSettings, settingsFrom } from '#src/platform/settings/read';
import { testEnv } from '#test/support/app';
import { setTime } from '#test/support/clock';
import { emptyDatabase, engine } from '#test/support/database';
import { node } from '#test/support/node';

// No server runs here: it would look at the table each half minute, too.
const env = testEnv(await emptyDatabase());
const ctx = await openContext(parseSettings(settingsFrom(env)));
const { SigningKey, sequelize } = ctx.db;
afterAll(() => ctx.close());
beforeEach(async () => void (await SigningKey.destroy({ where: {} })));
afterEach(() => void vi.useRealTimers());

it('makes the first key when keys are rotated before there is one', async () => {
  const { row } = await rotateKeys(ctx);
  expect([row.sequence, await SigningKey.count()]).toEqual([0, 1]);
});

it('does not take a database that fails for another node that was faster', async () => {
  const change = 'INSERT INTO missing VALUES (1)';
  await sequelize.query(
    `CREATE TRIGGER broken BEFORE INSERT ON signing_keys ${
      engine === 'sqlite' ? `BEGIN ${change}; END` : `FOR EACH ROW ${change}`
    }`,
  );
  try {
    await expect(rotateKeys(ctx)).rejects.toThrow('missing');
  } finally {
    await sequelize.query('DROP TRIGGER broken');
  }
});

it('looks for a key of another node again when five seconds are over, and not before', async () => {
  const { ctx: other } = await node(env);
  await tendKeys(other);
  vi.useFakeTimers({ toFake: ['performance'] });
  expect(await newKey(other, randomBytes(32).toString('base64url'))).toBeUndefined();
  await replaceKeys(ctx);
  await tendKeys(ctx);
  const { kid } = signingKey(ctx);
  vi.advanceTimersByTime(5000);
  expect(await newKey(other, kid)).toBeUndefined();
  vi.advanceTimersByTime(1);
  expect((await newKey(other, kid))?.kid).toBe(kid);
});

it('shows a key to the last millisecond in which its tokens may be valid', async () => {
  setTime(ctx, Math.ceil(Date.now() / 1000) * 1000);
  await tendKeys(ctx);
  await rotateKeys(ctx);
  await tendKeys(ctx);
  const rows = await SigningKey.findAll({ order: ['sequence'] });
  const { row, goneFrom } = keySchedules(ctx.settings, rows)[0]!;
  const shown = () => publicKeys(ctx).map(({ kid }) => kid);
  setTime(ctx, goneFrom - 1);
  expect(shown()).toContain(row.kid);
  setTime(ctx, goneFrom);
  expect(shown()).not.toContain(row.kid);
});
