import { createConnection } from 'mysql2/promise';
import { afterAll } from 'vitest';
import type { Db } from '#models/index';
import { engine } from '#test/support/database';

interface Sent {
  sql: string;
  bind: readonly unknown[];
}
interface Query {
  run: (sql: string, bind?: readonly unknown[]) => Promise<unknown>;
}

/** Collects every statement that reads, of every instance in this process. The key is the text without its values. */
export function collectStatements({ sequelize }: Db): Map<string, Sent> {
  const sent = new Map<string, Sent>();
  const note = (sql: string, bind: readonly unknown[] = []) => {
    const text = sql.replaceAll(/'(?:[^']|'')*'|\b\d+\b/g, '?').replaceAll(/(?:\?, ?)+\?/g, '?');
    if (/^\s*(SELECT|UPDATE|DELETE|INSERT.*SELECT)\b/i.test(sql) && !sent.has(text))
      sent.set(text, { sql, bind });
  };
  const { prototype } = (sequelize as unknown as { dialect: { Query: { prototype: Query } } })
    .dialect.Query;
  const { run } = prototype;
  prototype.run = function (sql, bind) {
    note(sql, bind);
    return run.call(this, sql, bind);
  };
  // What goes past Sequelize's own queries, too.
  sequelize.addHook('beforeQuery', ((_options: unknown, query: Sent & Partial<Query>) => {
    if (!query.run) note(query.sql, query.bind);
  }) as never);
  afterAll(() => {
    prototype.run = run;
  });
  return sent;
}

/** What the database says of how it would run statements: each table that it would read from end to end. */
export async function planner(url: string) {
  const explain = engine === 'sqlite' ? onSqlite(url) : await onServer(url);
  return async ({ sql, bind }: Sent): Promise<string[]> => {
    const aliases = new Map<string, string>();
    // An alias of Sequelize may be `roles->UserRole`.
    for (const [, table, alias] of sql.matchAll(
      /\b(?:FROM|JOIN|UPDATE)[\s(]+[`"]?(\w+)[`"]?(?:\s+(?:AS\s+)?[`"]?((?:\w|->)+)[`"]?)?/gi,
    )) {
      aliases.set(table!, table!);
      if (alias) aliases.set(alias, table!);
    }
    const scanned = await explain(sql, bind);
    // What a subquery in FROM reads has lines of its own.
    const derived = [...sql.matchAll(/\)\s+(?:AS\s+)?(\w+)/gi)].map(([, name]) => name);
    return scanned
      .filter((name) => !name.startsWith('<') && (aliases.has(name) || !derived.includes(name)))
      .map((name) => aliases.get(name) ?? name);
  };
}

type Explain = (sql: string, bind: readonly unknown[]) => Promise<string[]> | string[];

function onSqlite(url: string): Explain {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const file = new DatabaseSync(url.slice('sqlite:'.length), { readOnly: true });
  afterAll(() => file.close());
  return (sql) => {
    const rows = file.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[];
    return rows.flatMap(
      ({ detail }) => /^SCAN (?!CONSTANT|\()((?:\w|->)+)/.exec(detail)?.[1] ?? [],
    );
  };
}

interface ExplainedTable {
  select_type: string;
  table: string | null;
  type: string | null;
}

async function onServer(url: string): Promise<Explain> {
  const connection = await createConnection(url);
  afterAll(() => connection.end());
  return async (sql, bind) => {
    const [rows] = await (bind.length > 0
      ? connection.execute(`EXPLAIN FORMAT=TRADITIONAL ${sql}`, bind as string[])
      : connection.query(`EXPLAIN FORMAT=TRADITIONAL ${sql}`));
    return (rows as ExplainedTable[])
      .filter(({ select_type: kind }) => kind !== 'INSERT') // MySQL: where rows go to, with the type ALL
      .flatMap(({ table, type }) =>
        table !== null && (type === 'ALL' || type === 'index') ? table : [],
      );
  };
}
