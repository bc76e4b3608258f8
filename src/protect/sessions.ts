import type { Claims } from '#src/protect/access-token';
import { Unavailable } from '#src/protect/auth-server';
import { BoundedMap } from '#src/protect/bounded-map';
import { concerns, type Change, type Concerned } from '#src/protect/change';
import type { ChangeFeed } from '#src/protect/change-feed';
import { stateIn, type State } from '#src/protect/introspection';
import { Refusal } from '#src/protect/refusal';
import { moment, now, since, type Moment } from '#src/protect/time';

/** So many sessions are remembered. */
const MOST = 10_000;
/** After a failure one request tries again in this time, in milliseconds. The others do not wait for it. */
const RETRY_MS = 1000;
/** A session that goes on changing while it is asked for is asked for so often. */
const TRIES = 3;

interface Kept extends Concerned {
  /** Null: this token lets nobody in. */
  readonly state: State | null;
  readonly jkt: string | undefined;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** A question on its way. What changes meanwhile may be missing in the answer. */
interface Asking extends Concerned {
  isOutdated: boolean;
}

interface SessionsOptions {
  introspect: (token: string) => Promise<unknown>;
  feed: Pick<ChangeFeed, 'start' | 'isCurrent' | 'isFollowing' | 'age'>;
  graceSeconds: number;
}

/** What the auth server said of sessions, kept until it says otherwise. */
export class Sessions {
  readonly #options: SessionsOptions;
  /** By session, and by token for those that let nobody in. */
  readonly #kept = new BoundedMap<string, Kept>(MOST);
  readonly #askings = new Set<Asking>();
  readonly #shared = new Map<string, Promise<State>>();
  #failedAt: Moment | undefined;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  change(changes: readonly Change[]): void {
    const isConcerned = (each: Concerned) => changes.some((change) => concerns(change, each));
    if (changes.length === 0) return;
    this.#kept.forget(isConcerned);
    for (const asking of this.#askings) asking.isOutdated ||= isConcerned(asking);
  }

  reset(): void {
    this.#kept.clear();
    for (const asking of this.#askings) asking.isOutdated = true;
  }

  /**
   * The session of this token as it is now. `stale`: as it was when the auth server last answered.
   * @throws {Refusal} 401 `session_ended`; 503 `unavailable`
   */
  async stateOf(token: string, claims: Claims): Promise<{ state: State; stale: boolean }> {
    const { feed, graceSeconds } = this.#options;
    const kept = this.#recall(claims);
    if (kept && feed.isCurrent) return { state: live(kept), stale: false };
    await feed.start();
    try {
      return { state: await this.#share(token, claims), stale: false };
    } catch (cause) {
      if (!(cause instanceof Unavailable)) throw cause;
      const last = this.#recall(claims);
      if (last && feed.age <= graceSeconds * 1000) return { state: live(last), stale: true };
      throw new Refusal('unavailable', { cause });
    }
  }

  #recall({ sid, sub, jti, jkt }: Claims): Kept | undefined {
    const kept = this.#kept.get(jti) ?? this.#kept.get(sid);
    return kept?.sub === sub && kept.jkt === jkt && kept.until > now() ? kept : undefined;
  }

  /** Requests with the same token that come together share one question. */
  #share(token: string, claims: Claims): Promise<State> {
    const shared =
      this.#shared.get(token) ?? this.#ask(token, claims).finally(() => this.#shared.delete(token));
    this.#shared.set(token, shared);
    return shared;
  }

  async #ask(token: string, claims: Claims): Promise<State> {
    if (!this.#mayAsk()) throw new Unavailable('The auth server did not answer a moment ago');
    for (let tries = 0; tries < TRIES; tries++) {
      const { answer, isCurrent, isKept } = await this.#askOnce(token, claims);
      if (!isCurrent) continue;
      const state = stateIn(answer, claims);
      const { sid, sub, jti, actor, exp, jkt } = claims;
      const until = Math.min(exp, state?.exp ?? exp) * 1000;
      const kept = { sid, sub, actor, roles: state?.roles, state, jkt, until };
      if (isKept) this.#kept.set(state ? sid : jti, kept);
      return live(kept);
    }
    throw new Unavailable('The session goes on changing');
  }

  /** `isKept`: whatever changes the session from now on, the feed will tell. */
  async #askOnce(token: string, { sid, sub, actor }: Claims) {
    const { introspect, feed } = this.#options;
    const asking: Asking = { sid, sub, actor, roles: undefined, isOutdated: false };
    const isKept = feed.isFollowing;
    this.#askings.add(asking);
    try {
      const answer = await introspect(token);
      this.#failedAt = undefined;
      return { answer, isCurrent: !asking.isOutdated, isKept };
    } catch (error) {
      this.#failedAt = moment();
      throw error;
    } finally {
      this.#askings.delete(asking);
    }
  }

  #mayAsk(): boolean {
    if (!this.#failedAt) return true;
    if (since(this.#failedAt) < RETRY_MS) return false;
    this.#failedAt = moment();
    return true;
  }
}

/** @throws {Refusal} 401 `session_ended` */
function live({ state }: Pick<Kept, 'state'>): State {
  if (!state) throw new Refusal('session_ended');
  return state;
}
