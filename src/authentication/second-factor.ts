import { createHmac } from 'node:crypto';
import { Op } from 'sequelize';
import type { User } from '#models/index';
import type {
  SignInAttempt,
  SignInMethod,
  SignInPolicy,
} from '#src/authentication/sign-in-policies';
import type { Context } from '#src/context';
import type { FactorRequest } from '#src/factors/factor-kind';
import { availableKinds } from '#src/factors/kinds';
import { lifetimes } from '#src/lifetimes';
import { issueToken, readToken, type Grant } from '#src/one-time-tokens/one-time-tokens';
import { Problem } from '#src/platform/http/problem';
import type { Device } from '#src/sessions/device';
import { isTwoFactors } from '#src/users/assurance';
import { passwordDigest } from '#src/users/password-digest';
import { findWithRoles } from '#src/users/with-roles';

const PURPOSE = 'second factor';

/** A sign-in that waits for its second factor, as it is sealed with the token. */
interface BegunSignIn {
  method: SignInMethod;
  /** What the client said of its device. */
  device: Pick<Device, 'kind' | 'name' | 'platform' | 'dpopKey'>;
  /** Milliseconds since 1970. */
  begunAt: number;
  /** Of the hash that the user had. With another password, the token is void. */
  passwordDigest: string;
}

/** Such a sign-in, and its user as they are now. */
export interface WaitingSignIn {
  grant: Grant<BegunSignIn>;
  user: User;
  request: FactorRequest;
}

/**
 * Asks whoever has a second factor for it, unless they have just proved two. No session exists until they answer. Nothing
 * is asked for a wrong password, so nobody learns who has a factor.
 */
export const requireSecondFactor: SignInPolicy = (ctx, attempt) => {
  const { user, method } = attempt;
  if (user.factors === 0 || hasProvedTwo(method)) return undefined;
  if (method.cannotAsk) throw new Problem('mfa_required');
  return () => challenge(ctx, attempt);
};

/** In this sign-in, or in the session that it continues. */
const hasProvedTwo = ({ amr, continues }: SignInAttempt['method']) =>
  isTwoFactors(amr) || (continues?.aal2Time ?? null) !== null;

async function challenge(ctx: Context, { user, device, method }: SignInAttempt): Promise<Problem> {
  const { kind, name, platform, dpopKey } = device;
  const data: BegunSignIn = {
    method,
    device: { kind, name, platform, dpopKey },
    begunAt: ctx.clock.now(),
    passwordDigest: passwordDigest(user.passwordHash),
  };
  const seconds = lifetimes.secondFactorSeconds;
  const { strategy } = method;
  const mfaToken = await ctx.db.transaction(() => {
    ctx.events.emit('session.challenged', { userId: user.id, strategy, ip: device.ip });
    return issueToken(ctx, PURPOSE, seconds, { userId: user.id, data });
  });
  const factors = await availableKinds(ctx, user.id);
  return new Problem('mfa_required', { members: { mfaToken, factors } });
}

/**
 * The sign-in that such a token stands for. It is void when the user was changed since: see `voidPending`. The hash is
 * compared, too, because a password may be changed in the moment before the token is issued.
 * @throws {Problem} 400 `invalid_code`
 */
export async function readWaitingSignIn(ctx: Context, mfaToken: string): Promise<WaitingSignIn> {
  const grant = await readToken<BegunSignIn>(ctx, PURPOSE, mfaToken);
  const user = grant?.userId && (await findWithRoles(ctx.db, { id: grant.userId }));
  if (!grant || !user || passwordDigest(user.passwordHash) !== grant.data.passwordDigest)
    throw new Problem('invalid_code');
  if (await hasEndedSessions(ctx, user.id, grant.data.begunAt)) throw new Problem('invalid_code');
  return { grant, user, request: { userId: user.id, challenge: challengeOf(ctx, grant) } };
}

/** Whoever ends sessions wants somebody out. That goes for a sign-in that is half done, too. */
async function hasEndedSessions({ db }: Context, userId: string, since: number) {
  const endedAt = { [Op.gt]: new Date(since) };
  return (await db.Session.count({ where: { userId, endedAt } })) > 0;
}

const challengeOf = ({ secrets }: Context, { digest }: Pick<Grant<unknown>, 'digest'>) =>
  createHmac('sha256', secrets.keysFor(PURPOSE)[0]!).update(digest).digest('base64url');
