import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '#test/support/client';

/** A request that got no answer at all. */
interface Unanswered {
  /** When it was sent, by `performance.now()`. */
  sentAt: number;
  code: string;
}

/** Without an answer for so long, a request hangs. It is far above every bound of the server. */
const HANGS_MS = 60_000;
/** Pause before a request is repeated. */
const PAUSE_MS = 25;

/** What was acknowledged during a fault, what was refused, and what should not have been. */
export class Ledger {
  acknowledged = 0;
  /** Answers 503: the client repeats the request. */
  refused = 0;
  readonly unanswered: Unanswered[] = [];
  /** Acknowledged and not there, or half there. */
  readonly lost: string[] = [];
  /** Statuses and answers that no client should see, and servers that died. */
  readonly wrong: string[] = [];
  /** The usernames of all sign-ups that were acknowledged. */
  readonly signedUp = new Set<string>();
  /** When the last fault began to be mended, by `performance.now()`. */
  mendedAt = 0;

  mending(): void {
    this.mendedAt = performance.now();
  }

  /** Undefined: 503, or no answer. Then the request may have been done or not. */
  async hear(ask: () => Promise<Answer>): Promise<Answer | undefined> {
    const sentAt = performance.now();
    try {
      const answer = await inTime(ask());
      if (answer.status !== 503) return answer;
      this.refused++;
    } catch (error) {
      const { name, message, cause } = error as Error & { cause?: { code?: string } };
      // The helper for requests holds every answer to the rules for all answers.
      if (name === 'AssertionError' || name === 'Hangs') this.wrong.push(message);
      else this.unanswered.push({ sentAt, code: cause?.code ?? name });
    }
    return undefined;
  }

  /**
   * Repeats a request until it is answered, as a client does. `isRight` says which answers are right; `again` is true
   * when an earlier attempt may have been done.
   */
  async untilSure(
    what: string,
    ask: () => Promise<Answer>,
    isRight: (answer: Answer, again: boolean) => boolean,
  ): Promise<Answer> {
    for (let again = false; ; again = true) {
      const answer = await this.hear(ask);
      if (answer && isRight(answer, again)) {
        this.acknowledged++;
        return answer;
      }
      if (answer) throw new Wrong(`${what}: ${answer.status} ${saidIn(answer)}`);
      await sleep(PAUSE_MS);
    }
  }
}

const saidIn = ({ body }: Answer) => [body?.code, body?.reason].filter(Boolean).join(' ');

/** An answer that contradicts what was acknowledged. */
class Wrong extends Error {}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = sleep(HANGS_MS, undefined, { signal: over.signal }).then(() => {
    throw Object.assign(new Error(`no answer in ${HANGS_MS} ms`), { name: 'Hangs' });
  });
  late.catch(() => {}); // aborted
  try {
    return await Promise.race([answer, late]);
  } finally {
    over.abort();
  }
}
