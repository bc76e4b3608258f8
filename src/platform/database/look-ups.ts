import { AsyncLocalStorage } from 'node:async_hooks';

/** What look-ups ask. See `TransactionalSequelize`. */
interface Reader {
  select<Row extends object>(sql: string, bind: readonly string[]): Promise<Row[]>;
  isInTransaction(): boolean;
  traceLookUp?: (<T>(sql: string, work: () => Promise<T>) => Promise<T>) | undefined;
}

interface Statement<Row> {
  /** The text of the statement. `list` is what stands in `IN (…)`. Constant but for that. */
  text: (list: string) => string;
  keyOf: (row: Row) => string;
}

/** So long a list may be. A shorter one is filled up, so that few texts are prepared. */
const LENGTHS = [1, 4, 16, 64] as const;
const MAX_KEYS = 64;
/** A statement that takes longer, in milliseconds, keeps others waiting no more: the next one runs beside it. */
const PATIENCE_MS = 20;
/** With so many statements under way not even a full list is sent at once: others need connections, too. */
const MAX_AT_ONCE = 4;

/**
 * Rows by key. Look-ups that arrive in one turn of the event loop become one statement. What arrives while it is under
 * way waits for the next one: a read never begins before it was asked for, so it finds whatever was committed by then.
 * Callers share rows, which they must not change. In a transaction a look-up is a statement of its own.
 * When a statement fails, each of its look-ups does, and no other.
 */
export class LookUps<Row extends object> {
  readonly #reader: Reader;
  readonly #statement: Statement<Row>;
  readonly #texts: ReadonlyMap<number, string>;
  /** A statement is of no request: nothing that is known of one may show in another. */
  readonly #outside = AsyncLocalStorage.snapshot();
  #waiting = new Map<string, PromiseWithResolvers<readonly Row[]>>();
  #isScheduled = false;
  #running = 0;
  /** Of those that run, how many the next one waits for. */
  #holding = 0;

  constructor(reader: Reader, statement: Statement<Row>) {
    this.#reader = reader;
    this.#statement = statement;
    this.#texts = new Map(LENGTHS.map((length) => [length, statement.text(placeholders(length))]));
  }

  find(key: string): Promise<readonly Row[]> {
    if (this.#reader.isInTransaction()) return this.#select([key]);
    let lookUp = this.#waiting.get(key);
    if (!lookUp) {
      lookUp = Promise.withResolvers();
      this.#waiting.set(key, lookUp);
      this.#schedule();
    }
    const { promise } = lookUp;
    const { traceLookUp } = this.#reader;
    return traceLookUp ? traceLookUp(this.#texts.get(1)!, () => promise) : promise;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#outside(setImmediate, () => {
      this.#isScheduled = false;
      while (this.#mayRun()) void this.#run(this.#take());
    });
  }

  #mayRun(): boolean {
    if (this.#waiting.size === 0) return false;
    return this.#holding === 0 || (this.#waiting.size >= MAX_KEYS && this.#running < MAX_AT_ONCE);
  }

  #take(): Map<string, PromiseWithResolvers<readonly Row[]>> {
    const all = this.#waiting;
    const taken = all.size <= MAX_KEYS ? all : new Map([...all].slice(0, MAX_KEYS));
    this.#waiting = all.size <= MAX_KEYS ? new Map() : new Map([...all].slice(MAX_KEYS));
    return taken;
  }

  async #run(lookUps: ReadonlyMap<string, PromiseWithResolvers<readonly Row[]>>): Promise<void> {
    this.#running++;
    const letGo = this.#hold();
    try {
      const rows = Map.groupBy(await this.#select([...lookUps.keys()]), this.#statement.keyOf);
      for (const [key, { resolve }] of lookUps) resolve(rows.get(key) ?? []);
    } catch (error) {
      for (const { reject } of lookUps.values()) reject(error);
    }
    this.#running--;
    letGo();
  }

  /** Keeps the next statement waiting, for a while at most. */
  #hold(): () => void {
    this.#holding++;
    let isHolding = true;
    const letGo = () => {
      clearTimeout(timer);
      if (isHolding) this.#holding--;
      isHolding = false;
      if (this.#waiting.size > 0) this.#schedule();
    };
    const timer = setTimeout(letGo, PATIENCE_MS);
    return letGo;
  }

  #select(keys: string[]): Promise<Row[]> {
    const length = LENGTHS.find((each) => each >= keys.length)!;
    while (keys.length < length) keys.push(keys[0]!);
    return this.#reader.select<Row>(this.#texts.get(length)!, keys);
  }
}

const placeholders = (length: number): string =>
  Array.from({ length }, (_, i) => `$${i + 1}`).join(', ');
