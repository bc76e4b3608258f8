import type { Session } from '#models/index';
import type { SessionOrigin } from '#models/user';
import type { Context } from '#src/context';
import { lifetimes } from '#src/lifetimes';
import { issueToken } from '#src/one-time-tokens/one-time-tokens';
import { networkOf } from '#src/platform/http/network';
import { hitsOf } from '#src/platform/limits/limit-class';
import { queueMail } from '#src/platform/mail/outbox';
import { linkTo } from '#src/platform/mail/template';
import { deviceKey, deviceWords } from '#src/sessions/device';
import { NEW_SIGN_IN_MAIL } from '#src/sessions/limits';
import { newSignInMail } from '#src/sessions/mails';
import { END_SESSION } from '#src/user-mail/mail-tokens';
import { greetingName } from '#src/user-mail/recipients';

/** What the token that ends a session holds. */
export interface ReportedSession {
  sessionId: string;
}

/**
 * Whether a session starts in a network and on a device that none of these came from. A user with no session before is new
 * everywhere, so nothing is. A device that says nothing of itself is never known.
 */
export function isNewDevice(origins: readonly SessionOrigin[], started: SessionOrigin): boolean {
  if (origins.length === 0) return false;
  const network = networkIn(started);
  if (origins.some((origin) => networkIn(origin) === network)) return false;
  const key = deviceKey(started);
  return key === undefined || !origins.some((origin) => deviceKey(origin) === key);
}

const networkIn = ({ ip }: SessionOrigin) => networkOf({ ip: ip ?? undefined });

/**
 * Says that a session started on a new device, and tells the owner if NOTIFY_NEW_SIGN_IN is on. To be called in the
 * transaction that starts it. Only a confirmed address is told: what is said of the device would be news to a stranger.
 */
export async function announceNewDevice(ctx: Context, session: Session): Promise<void> {
  const { db, events, settings } = ctx;
  const { id: sessionId, userId, strategy, ip } = session;
  events.emit('session.new_device', { userId, sessionId, strategy, ip });
  if (settings.notifyNewSignIn === 'off') return;
  const user = await db.User.findByPk(userId);
  if (!user?.email || !user.emailVerifiedAt || !(await mayTell(ctx, userId))) return;
  const data: ReportedSession = { sessionId };
  const token = await issueToken(ctx, END_SESSION, lifetimes.sessionEndLinkSeconds, {
    userId,
    data,
  });
  const mail = newSignInMail({
    name: greetingName(user),
    at: session.createdAt,
    device: deviceWords(session),
    ip,
    strategy,
    link: linkTo(settings, '/end-session', { token }),
  });
  await queueMail(ctx, user.email, mail, user);
}

/** Whoever knows the password, and comes from many networks, must not fill the mailbox of the owner. */
const mayTell = async ({ settings, limits }: Context, userId: string): Promise<boolean> =>
  settings.limits === 'off' ||
  (await limits.hit(hitsOf(settings, NEW_SIGN_IN_MAIL, () => userId))) === undefined;
