import type { SessionEndReason } from '#src/events';
import { note, type Outcome } from '#test/support/model/census';

/** No provider and no mail takes part in the model. */
type EndReason = Exclude<
  SessionEndReason,
  'taken_over' | 'password_reset' | 'email_restored' | 'reported' | 'actor_gone'
>;

export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;
const TOKEN_LIFE = 10 * MINUTE;
const WINDOW = 20_000;
const AT_ONCE = 10;
/**
 * The absolute limits are shorter than by default, so that a sequence of commands can get there.
 */
export const LIMITS = {
  web: { idle: 14 * DAY, absolute: 25 * DAY },
  mobile: { idle: 60 * DAY, absolute: 80 * DAY },
};
export type Kind = keyof typeof LIMITS;

export interface ModelUser {
  name: string;
  id: string;
  password: string;
  disabled: boolean;
  gone: boolean;
  roles: Set<string>;
}
export interface ModelSession {
  /** Empty until the server has answered it. */
  id: string;
  user: ModelUser;
  kind: Kind;
  createdAt: number;
  rotatedAt: number;
  expiresAt: number;
  generation: number;
  acknowledged: boolean;
  ended: EndReason | null;
  /** By generation. */
  refreshTokens: string[];
}
export interface ModelToken {
  session: ModelSession;
  generation: number;
  expiresAt: number;
  text: string;
  /** It was refused once. That must not change. */
  settled?: boolean;
}
/** A token that this server never made. */
export const FORGED = null;
export type Access = ModelToken | typeof FORGED;
export type Refresh = { session: ModelSession; generation: number } | typeof FORGED;

/** The expected answer. */
export interface Verdict {
  status: number;
  code?: string;
  reason?: string;
  sessionStatus?: string;
}
export const refused = (status: number, code: string): Verdict => ({ status, code });
const grantRefused = (reason: string): Verdict => ({
  ...refused(400, 'invalid_grant'),
  reason,
  sessionStatus: reason === 'unknown' ? 'unknown' : 'ended',
});

/** The contract in memory: users, their sessions, and what follows from a command. */
export class World {
  now: number;
  /** By the number that commands use. */
  readonly users = new Map<number, ModelUser>();
  readonly sessions: ModelSession[] = [];
  readonly tokens: ModelToken[] = [];
  /** The events that the server should have emitted since the last command. */
  events: string[] = [];

  constructor(now: number) {
    this.now = now;
  }

  hasExpired = (session: ModelSession): boolean => session.expiresAt <= this.now;
  isLive = (session: ModelSession): boolean =>
    !session.user.gone && !session.ended && !this.hasExpired(session);
  sessionsOf = (user: ModelUser): ModelSession[] =>
    this.sessions.filter((session) => session.user === user);

  /** The oldest of ten is replaced. */
  start(user: ModelUser, kind: Kind): ModelSession {
    const live = this.sessionsOf(user).filter(this.isLive);
    this.end(live.slice(0, Math.max(0, live.length - AT_ONCE + 1)), 'replaced');
    const session: ModelSession = {
      id: '',
      user,
      kind,
      createdAt: this.now,
      rotatedAt: -Infinity,
      expiresAt: 0,
      generation: 0,
      acknowledged: true,
      ended: null,
      refreshTokens: [],
    };
    this.prolong(session);
    this.sessions.push(session);
    return session;
  }

  private prolong(session: ModelSession): void {
    const { idle, absolute } = LIMITS[session.kind];
    session.expiresAt = Math.min(this.now + idle, session.createdAt + absolute);
  }

  /** Ends sessions for good, once, also those that have expired. */
  end(which: ModelSession[], why: EndReason): void {
    for (const session of which.filter(({ ended, user }) => !ended && !user.gone)) {
      session.ended = why;
      this.events.push(`session.ended ${session.id} ${why}`);
      note(`ended: ${why}`);
    }
  }

  /**
   * The answer to a guarded request with this token. The first use of the newest generation
   * acknowledges it.
   */
  admit(token: Access): Verdict {
    const verdict = this.judge(token);
    note(verdict.status === 200 ? 'guard: let in' : (`guard: ${verdict.code}` as Outcome));
    if (!token || verdict.status !== 200) {
      if (token && verdict.code === 'session_ended' && token.session.user.gone)
        note('guard: session_ended, user gone');
      else if (token && verdict.code === 'session_ended' && !token.session.ended)
        note('guard: session_ended, expired');
      return verdict;
    }
    const { session, generation } = token;
    if (generation < session.generation) note('guard: let in by an older generation');
    else if (!session.acknowledged) note('guard: acknowledged');
    session.acknowledged ||= generation === session.generation;
    return verdict;
  }

  /** The same, without a change. */
  judge(token: Access): Verdict {
    if (!token) return refused(401, 'token_invalid');
    const { session, expiresAt } = token;
    if (expiresAt <= this.now) return refused(401, 'token_expired');
    if (session.user.disabled && !session.user.gone) return refused(401, 'user_disabled');
    return this.isLive(session) ? { status: 200 } : refused(401, 'session_ended');
  }

  refresh(token: Refresh): Verdict {
    const [verdict, outcome] = this.grant(token);
    note(`refresh: ${outcome}` as Outcome);
    return verdict;
  }

  private grant(token: Refresh): [Verdict, string] {
    if (!token) return [grantRefused('unknown'), 'unknown'];
    const { session, generation } = token;
    const { user, ended, kind } = session;
    if (user.gone) return [grantRefused('revoked'), 'revoked, user gone'];
    if (ended) return [grantRefused('revoked'), `revoked, ${ended}`];
    if (this.hasExpired(session)) {
      if (kind === 'mobile') note('refresh: expired, mobile');
      const absolute = session.expiresAt === session.createdAt + LIMITS[kind].absolute;
      return [grantRefused('expired'), `expired, ${absolute ? 'absolute' : 'idle'}`];
    }
    if (generation === session.generation) {
      Object.assign(session, {
        generation: generation + 1,
        acknowledged: false,
        rotatedAt: this.now,
      });
      this.prolong(session);
      return [{ status: 200 }, 'next generation'];
    }
    const parent = generation === session.generation - 1;
    if (parent && !session.acknowledged) {
      // The successor is handed out again, so the window starts again.
      if (this.now - session.rotatedAt >= WINDOW) session.rotatedAt = this.now;
      return [{ status: 200 }, 'same again, successor unused'];
    }
    if (parent && this.now - session.rotatedAt < WINDOW)
      return [{ status: 200 }, 'same again, within the window'];
    this.end([session], 'reused');
    this.events.push(`session.reused ${session.id} `);
    return [
      grantRefused('reused'),
      parent ? 'reused, parent after the window' : 'reused, older than the parent',
    ];
  }

  /** Notes an access token that was issued. */
  handOut(session: ModelSession, text: string): void {
    this.tokens.push({
      session,
      generation: session.generation,
      expiresAt: this.now + TOKEN_LIFE,
      text,
    });
  }
}
