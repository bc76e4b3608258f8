import { mkdirSync } from 'node:fs';
import type { Model, ModelStatic, Sequelize } from 'sequelize';
import { expect } from 'vitest';
import { setTime } from '#test/support/clock';
import { emptyDatabase } from '#test/support/database';
import { essence, isAnswer, textOf } from '#test/support/pair/plain';
import { startSide, type Side } from '#test/support/pair/side';
import type { Step } from '#test/support/pair/step';
import { beginning } from '#test/support/pair/steps';

/** A history: what is asked, and the milliseconds that pass before. */
export type History = readonly { step: Step; pause: number }[];
export type Pair = Awaited<ReturnType<typeof startPair>>;

/**
 * Two servers that differ in nothing but the engine of their database: SQLite, and the server under test. After so many
 * milliseconds they play no more.
 */
export async function startPair(env: Record<string, string>, patience: number) {
  mkdirSync('pair', { recursive: true });
  const file = `sqlite:${process.cwd()}/pair/${Math.random()}.sqlite`;
  const sides = [await startSide(file, env), await startSide(await emptyDatabase(), env)] as const;
  const counts = { histories: 0, steps: 0 };
  /** In the middle of a second: the clocks of the two differ by some milliseconds. */
  let now = Math.ceil(Date.now() / 1000) * 1000 + 500;
  const until = performance.now() + patience;
  return {
    sides,
    isOver: () => performance.now() > until,
    /** How much was asked, and how often each outcome was answered. */
    counts,
    outcomes: new Map<string, number>(),
    begin(): void {
      counts.histories++;
      for (const side of sides) side.begin(`h${counts.histories}`);
      this.advance(86_400_000);
    },
    advance(ms: number): void {
      now += ms;
      setTime(sides[0].ctx, now);
    },
  };
}

/** Plays a history on both servers. After each step both must have said, mailed and kept the same. */
export async function play(pair: Pair, history: History): Promise<void> {
  if (pair.isOver()) return;
  pair.begin();
  for (const { step, pause } of [...beginning.map((step) => ({ step, pause: 1000 })), ...history]) {
    pair.advance(pause);
    pair.counts.steps++;
    const results = await both(pair, (side) => step.run(side));
    expectSame(
      pair,
      String(step),
      results.map((each) => (isAnswer(each) ? essence(each) : each)),
    );
    note(pair, results[0]);
    const mails = await both(pair, async (side) => (await side.newMails()).map(readable));
    expectSame(pair, `the mails after ${String(step)}`, mails);
  }
  const counted = await both(pair, ({ sequelize }) => countRows(sequelize));
  expectSame(pair, 'the number of rows', counted);
}

const both = <T>({ sides }: Pair, work: (side: Side) => Promise<T>): Promise<T[]> =>
  Promise.all(sides.map(work));

/** Each side gives its own numbers to what is random, in the order in which it shows up. */
function expectSame({ sides }: Pair, what: string, values: readonly unknown[]): void {
  const [sqlite, server] = values.map((value, i) => sides[i]!.plain(textOf(value)));
  expect(server, `SQLite and the server differ: ${what}`).toBe(sqlite);
}

const readable = ({
  recipients,
  subject,
  text,
}: Awaited<ReturnType<Side['newMails']>>[number]) => ({
  recipients,
  subject,
  text: text.replaceAll(/\b\d{6}\b/g, '<code>'),
});

function note({ outcomes }: Pair, result: unknown): void {
  const name = isAnswer(result) ? `${result.status} ${result.body?.code ?? ''}` : 'no request';
  outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
}

const countRows = async (sequelize: Sequelize) =>
  Promise.all(
    modelsOf(sequelize).map(async (model) => [model.tableName, await model.count()] as const),
  );

/** Tables that are none of the people's, and rows by which requests take turns. */
const OTHER = ['outgoing_mails', 'turns', 'signing_keys', 'limits', 'audit_keys', 'audit_entries'];
const modelsOf = (sequelize: Sequelize): ModelStatic<Model>[] =>
  Object.values(sequelize.models)
    .filter(({ tableName }) => !OTHER.includes(tableName))
    .sort((a, b) => (a.tableName < b.tableName ? -1 : 1));

/** What both databases hold at the end. Tables have no order. */
export async function expectSameRows(pair: Pair): Promise<void> {
  const tables = await both(pair, async ({ sequelize, inOrder }) => {
    const all = [];
    for (const model of modelsOf(sequelize)) {
      const rows = await model.findAll();
      // Roles are made when a server starts, and the two do not start in the same second.
      const timeless = rows.map((row) => ({ ...row.toJSON(), createdAt: null }));
      all.push([model.tableName, inOrder(model.tableName === 'roles' ? timeless : rows)]);
    }
    return all;
  });
  expectSame(pair, 'the rows', tables);
}
