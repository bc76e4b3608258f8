import { AsyncLocalStorage } from 'node:async_hooks';
import {
  ConnectionError,
  QueryTypes,
  Sequelize,
  type Options,
  type Transaction,
  type TransactionOptions,
} from 'sequelize';
import { commit } from '#src/platform/database/commit';
import { preparedSelect } from '#src/platform/database/prepared-select';
import { repeatOnConflict } from '#src/platform/database/repeat';
import type { TransactionalSequelize } from '#src/platform/database/transactional-sequelize';

/** What runs under one transaction: Sequelize's own entries, and what waits for the commit. */
interface Scope {
  values: Map<string, unknown>;
  afterCommit: (() => void)[];
  /** What is written before the commit. */
  collected: unknown[];
  /** Begun by an app, which may catch what a part of it throws. Then that part alone is undone. */
  isOfApp: boolean;
}
type Work<T> = (transaction: Transaction) => PromiseLike<T>;
type Query = (sql: string | { query: string }, options?: QueryOptions) => Promise<unknown>;
interface QueryOptions {
  transaction?: unknown;
  skipCacheInvalidation?: boolean;
  /** Sequelize's mark of COMMIT and ROLLBACK. */
  completesTransaction?: boolean;
}

interface Join {
  isOfApp: boolean;
  options?: TransactionOptions | undefined;
}

export function transactional(url: string | undefined, options: Options): TransactionalSequelize {
  const scopes = new AsyncLocalStorage<Scope>();
  /** The scope of the transaction around this call. Undefined without one, or when it is over. */
  const currentScope = () => {
    const scope = scopes.getStore();
    return scope?.values.get('transaction') ? scope : undefined;
  };
  let writes = 0;
  let closed = false;
  let write = async (_items: readonly unknown[]): Promise<void> => {};
  const refuseClosed = () => {
    if (closed) throw new ConnectionError(new Error('The database was closed'));
  };

  class Transactional extends Sequelize implements TransactionalSequelize {
    /** Read by Sequelize's models: an own property hides `Sequelize._cls` of a host app. */
    static readonly _cls = {
      bind: (fn: unknown) => fn,
      get: (key: string) => scopes.getStore()?.values.get(key),
      set: (key: string, value: unknown) => scopes.getStore()?.values.set(key, value),
      run: (fn: () => unknown) => fn(),
    };

    writes(): number {
      return writes;
    }

    async select<Row extends object>(sql: string, bind: readonly string[]): Promise<Row[]> {
      if (this.getDialect() === 'sqlite' || currentScope())
        return this.query<Row>(sql, { type: QueryTypes.SELECT, bind: [...bind] });
      refuseClosed();
      return repeatOnConflict(() => preparedSelect<Row>(this, sql, bind));
    }

    isInTransaction(): boolean {
      return currentScope() !== undefined;
    }

    afterCommit(work: () => void): void {
      const scope = currentScope();
      if (scope) scope.afterCommit.push(work);
      else work();
    }

    collect(item: unknown): void {
      const scope = currentScope();
      if (!scope) throw new Error('This belongs into a transaction');
      scope.collected.push(item);
    }

    writeCollected(own: typeof write): void {
      write = own;
    }

    /** With a callback, for an app, it joins the transaction around it. Sequelize's own would not. */
    override transaction<T>(options: TransactionOptions, work: Work<T>): Promise<T>;
    override transaction<T>(work: Work<T>): Promise<T>;
    override transaction(options?: TransactionOptions): Promise<Transaction>;
    override transaction<T>(
      given?: TransactionOptions | Work<T>,
      work?: Work<T>,
    ): Promise<T | Transaction> {
      const fn = typeof given === 'function' ? given : work;
      const options = typeof given === 'function' ? {} : given;
      if (!fn) return super.transaction(options);
      return this.#join(async () => fn(currentScope()!.values.get('transaction') as Transaction), {
        isOfApp: true,
        options,
      });
    }

    atomically<T>(fn: () => Promise<T>): Promise<T> {
      return this.#join(fn, { isOfApp: false });
    }

    #join<T>(fn: () => Promise<T>, how: Join): Promise<T> {
      const outer = currentScope();
      if (!outer) return this.#repeat(fn, how);
      return outer.isOfApp || how.isOfApp ? this.#savepoint(outer, fn, how) : fn();
    }

    #repeat<T>(fn: () => Promise<T>, { isOfApp, options }: Join): Promise<T> {
      const run = async () => {
        const scope: Scope = { values: new Map(), afterCommit: [], collected: [], isOfApp };
        const result = await scopes.run(scope, () => this.#once(scope, fn, options));
        return { result, scope };
      };
      // With a parent, the database undid that one too: only its owner can run it again.
      const running = options?.transaction ? run() : repeatOnConflict(run);
      return running.then(({ result, scope }) => {
        for (const work of scope.afterCommit) work();
        return result;
      });
    }

    /** A part of an outer transaction that is undone by itself. What waits for the commit waits for the outer one's. */
    async #savepoint<T>(outer: Scope, fn: () => Promise<T>, { isOfApp }: Join): Promise<T> {
      const transaction = outer.values.get('transaction') as Transaction;
      const values = new Map(outer.values);
      const scope: Scope = { values, afterCommit: [], collected: [], isOfApp };
      const savepoint = await super.transaction({ transaction });
      try {
        const result = await scopes.run(scope, fn);
        outer.afterCommit.push(...scope.afterCommit);
        outer.collected.push(...scope.collected);
        return result;
      } catch (error) {
        await savepoint.rollback().catch(() => {}); // the first error says more
        throw error;
      } finally {
        scope.values.clear(); // what is left running joins nothing
      }
    }

    /** Without a callback of Sequelize: that would run in the CLS namespace of a host app. */
    async #once<T>(scope: Scope, fn: () => Promise<T>, options?: TransactionOptions): Promise<T> {
      refuseClosed();
      const transaction = await super.transaction(options);
      scope.values.set('transaction', transaction);
      let result: T;
      try {
        result = await fn();
        if (scope.collected.length > 0) await write(scope.collected);
      } catch (error) {
        await transaction.rollback().catch(() => {}); // the first error says more
        throw error;
      }
      await commit(this, transaction);
      return result;
    }

    override async close(): Promise<void> {
      closed = true;
      await super.close();
    }
  }

  const sequelize =
    url === undefined ? new Transactional(options) : new Transactional(url, options);
  const query = sequelize.query.bind(sequelize) as Query;
  // Sequelize would open a closed SQLite file again.
  const joining: Query = async (sql, given) => {
    if (!given?.completesTransaction) refuseClosed(); // a transaction under way may end
    const transaction =
      given?.transaction === undefined
        ? (Transactional._cls.get('transaction') ?? null)
        : given.transaction;
    const send = () => query(sql, { ...given, transaction });
    const answer = transaction ? send() : repeatOnConflict(send);
    const text = typeof sql === 'string' ? sql : sql.query;
    if (given?.skipCacheInvalidation || /^\s*SELECT\b/i.test(text)) return answer;
    return answer.finally(() => writes++);
  };
  Object.assign(sequelize, { query: joining });
  return sequelize;
}
