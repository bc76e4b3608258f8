import { afterAll, describe, expect, it } from 'vitest';
import { openContext } from '#src/open-context';
import { parseSettings, settingsFrom } from '#src/platform/settings/read';
import { testEnv } from '#test/support/app';
import { emptyDatabase } from '#test/support/database';
import { preparedBy } from '#test/support/prepared';
import { statementsOf } from '#test/support/statements';
import { appWrites, serverWrites } from '#test/support/writes';

const url = await emptyDatabase();
const ctx = await openContext(parseSettings(settingsFrom(testEnv(url))));
afterAll(() => ctx.close());
const prepared = preparedBy(ctx, url);
const statements = statementsOf(ctx.db.sequelize, (sql) => /: (INSERT|UPDATE)/.test(sql));
/** What was sent by these writes, each text once. */
async function textsOf(...writes: (() => Promise<unknown>)[]): Promise<Set<string>> {
  statements.length = 0;
  for (const write of writes) await write();
  return new Set(statements);
}
/** More than a connection keeps, so that texts that are not constant would show. */
const TIMES = 90;
/** One kind of write has at most so many statements. With IN, one for each length. */
const MOST_TEXTS = 8;

const server = await serverWrites(ctx);
const app = await appWrites(ctx);
const { 'a text of its own': raw, 'in many': inMany, ...constant } = app.writes;
const kinds = Object.entries({ ...server, ...constant });

describe('X-11 a write that is repeated with other values', () => {
  it.each(kinds)('has a constant text: %s', async (_name, write) => {
    const texts = await textsOf(...Array.from({ length: TIMES }, (_, i) => () => write(i)));
    expect([...texts].slice(0, MOST_TEXTS + 1).length).toBeLessThanOrEqual(MOST_TEXTS);
  });

  it.each(Object.entries({ raw, inMany }))(
    'is not kept for ever by the driver when its text changes: %s',
    async (_name, write) => {
      for (let i = 0; i < TIMES; i++) await write!(i);
      expect(prepared.inDriver()).toBeLessThanOrEqual(64);
    },
  );

  it('keeps every kind of write of the server prepared on one connection', async () => {
    const all = Object.values(server).flatMap((write) =>
      [0, 1, 2].map((i) => () => write(i + TIMES)),
    );
    expect((await textsOf(...all)).size).toBeLessThanOrEqual(48);
  });

  it('finds what a model compares, and keeps texts with $1, ? and quotes whole', async () => {
    const [first, second] = await app.Thing.findAll({ order: ['id'] });
    expect(first!.get()).toMatchObject({ name: app.text, done: TIMES });
    expect(second!.get('done')).toBe(0);
  });
});
