import { setTimeout as sleep } from 'node:timers/promises';
import { Unavailable } from '#src/protect/auth-server';
import { answerIn, type Change } from '#src/protect/change';
import { later, moment, since, type Moment } from '#src/protect/time';

/** How much later than it should an answer may come, in milliseconds. */
const SLACK_MS = 2000;
/** Pauses after failures, in milliseconds. */
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [100, 2000];
/** Pause when the server does not let us wait, such as while it stops. */
const EARLY_PAUSE_MS = 200;

interface FeedOptions {
  /** How long the server may wait before it answers that nothing changed, in seconds. */
  pollSeconds: number;
  /** Asks the server. */
  poll: (after: string | undefined, wait: number, closing: AbortSignal) => Promise<unknown>;
  onChanges: (changes: readonly Change[]) => void;
  /** Nobody knows what changed: forget everything. */
  onReset: () => void;
  /** Called with the error when answers cease, and with nothing when they come again. */
  onHealth: (error?: unknown) => void;
}

/**
 * Follows the changes at the auth server. An answer has all that changed before the server looked for the last time, so
 * long after the poll was sent as it says, however long the answer took. Later changes may have gone unheard.
 */
export class ChangeFeed {
  readonly #options: FeedOptions;
  readonly #closing = new AbortController();
  readonly #first = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;
  #cursor: string | undefined;
  /** The next answer needs no wait: it says where we are. */
  #isBehind = true;
  #confirmedAt: Moment | undefined;
  #failures = 0;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** Begins to follow. Resolves when the first answers are here, or could not be had. */
  start(): Promise<void> {
    this.#running ??= this.#run();
    return this.#first.promise;
  }

  /** True if what is asked from now on will be followed by whatever changes it. */
  get isFollowing(): boolean {
    return this.#cursor !== undefined;
  }

  /** Milliseconds for which changes may have gone unheard. */
  get age(): number {
    return this.#confirmedAt ? since(this.#confirmedAt) : Infinity;
  }

  get isCurrent(): boolean {
    return this.age <= this.#options.pollSeconds * 1000 + SLACK_MS;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#first.resolve();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    for (let pause = 0; !signal.aborted;) {
      if (pause > 0) await sleep(pause, undefined, { signal, ref: false }).catch(() => {});
      pause = await this.#step().catch((error: unknown) => this.#fail(error));
    }
  }

  /** Asks once. Answers how long to pause. */
  async #step(): Promise<number> {
    const { poll, pollSeconds, onChanges, onReset } = this.#options;
    const sent = moment();
    const wait = this.#isBehind ? 0 : pollSeconds;
    const asked = this.#cursor;
    const answer = answerIn(await poll(asked, wait, this.#closing.signal));
    // A proxy may have answered with what it had kept. Every cursor is given out once.
    if (answer.after !== (asked ?? null)) throw new Error('This answers another question');
    if (answer.reset) onReset();
    else onChanges(answer.changes);
    this.#cursor = answer.cursor;
    this.#isBehind = answer.reset || answer.more;
    // Whoever must begin anew again and again does so slowly.
    if (this.#isBehind) return answer.reset && asked !== undefined ? EARLY_PAUSE_MS : 0;
    const took = since(sent);
    this.#confirm(later(sent, Math.min(answer.waitedMs, took)));
    const isEarly = answer.changes.length === 0 && took < (wait * 1000) / 2;
    return isEarly ? EARLY_PAUSE_MS : 0;
  }

  #confirm(at: Moment): void {
    this.#confirmedAt = at;
    if (this.#failures > 0) this.#options.onHealth();
    this.#failures = 0;
    this.#first.resolve();
  }

  #fail(error: unknown): number {
    if (this.#closing.signal.aborted) return 0;
    this.#isBehind = true;
    // The server knows no such cursor, so it cannot tell what changed since.
    if (error instanceof Unavailable && error.status === 400) {
      this.#options.onReset();
      this.#cursor = undefined;
    }
    if (this.#failures++ === 0) this.#options.onHealth(error);
    this.#first.resolve();
    return Math.min(FIRST_PAUSE_MS * 2 ** (this.#failures - 1), LONGEST_PAUSE_MS);
  }
}
