import type { Session, User } from '#models/index';
import type { Challenge, SignInAttempt, SignInMethod } from '#src/authentication/sign-in-policies';
import type { Context } from '#src/context';
import { resolveAddress } from '#src/email/resolve-address';
import { resolveUser } from '#src/federation/resolve-user';
import { traced } from '#src/platform/traces';
import type { Device } from '#src/sessions/device';
import { amrOf } from '#src/strategy-kit/contract';
import { issueTokens, type TokensBody } from '#src/sessions/issue-tokens';
import { startSession } from '#src/sessions/start-session';
import type { ProvenAddress } from '#src/strategy-kit/proven-address';
import type { ProviderProfile } from '#src/strategy-kit/provider-profile';
import { principalOf, type Principal } from '#src/users/principal';

/** A sign-in that was counted as a failure before it was tried. */
interface CountedAttempt {
  succeeded: () => Promise<void>;
  /** Throws what the client is told. */
  refused: (error: unknown) => Promise<never>;
}

/** Who somebody proved to be: a user loaded with roles, what a provider says of them, or the owner of an address. */
export type Identity = (
  | { user: User }
  | { profile: ProviderProfile }
  | { address: ProvenAddress }
) & { attempt?: CountedAttempt };

export interface SignedIn {
  session: Session;
  user: Principal;
  tokens: TokensBody;
}

/**
 * Every way of signing in ends here: strategies, providers, registration, a changed password, compatibility adapters.
 * It finds the user, asks the policies in their order, starts the session and makes the tokens. The counter of failed
 * sign-ins is reset only when all of that succeeded.
 * @throws {Problem} 401 `invalid_credentials`, 403 `email_unverified`, 401 `user_disabled`, 409 `already_linked`, or what
 * a policy asks for
 */
export const signIn = (
  ctx: Context,
  identity: Identity,
  device: Device,
  method: SignInMethod,
): Promise<SignedIn> => traced(ctx, 'sign in', () => finish(ctx, identity, device, method));

async function finish(
  ctx: Context,
  identity: Identity,
  device: Device,
  method: SignInMethod,
): Promise<SignedIn> {
  try {
    const user = await userOf(ctx, identity);
    const proved = withAmr(ctx, identity, method);
    const session = await start(ctx, user, device, proved, identity.attempt);
    const principal = principalOf(user, { session });
    const tokens = issueTokens(ctx, session, principal, method.accessTokenTtl);
    return { session, user: principal, tokens };
  } catch (error) {
    if (identity.attempt) return identity.attempt.refused(error);
    throw error;
  }
}

/** The method, with what its strategy declares if the caller says nothing else, and two factors that a provider has seen. */
function withAmr(
  { strategies }: Context,
  identity: Identity,
  method: SignInMethod,
): SignInAttempt['method'] {
  const strategy = strategies.on.find(({ name }) => name === method.strategy);
  const amr = method.amr ?? (strategy ? amrOf(strategy) : []);
  const isMfa = 'profile' in identity && identity.profile.twoFactors;
  return { ...method, amr: isMfa ? [...amr, 'mfa'] : amr };
}

/** A user who has proved all that a sign-in asks for, and has no session yet. `amr`: RFC 8176. */
export interface ProvenUser {
  user: User;
  amr: readonly string[];
}

/**
 * Asks all that `signIn` asks, and starts no session: what the policies wrote is undone. It is for a code, whose exchange
 * asks them once more.
 * @throws {Problem} what `signIn` throws
 */
export async function proveSignIn(
  ctx: Context,
  identity: Identity,
  device: Device,
  method: SignInMethod,
): Promise<ProvenUser> {
  try {
    const user = await userOf(ctx, identity);
    const proved = withAmr(ctx, identity, method);
    await startSession(ctx, user, device, proved, async (locked) => {
      await askPolicies(ctx, { user: locked, roles: user.roleNames, device, method: proved });
      throw new Agreed();
    }).catch(unlessAgreed);
    await identity.attempt?.succeeded();
    return { user, amr: proved.amr };
  } catch (error) {
    if (identity.attempt) return identity.attempt.refused(error);
    throw error;
  }
}

async function unlessAgreed(error: unknown): Promise<void> {
  if (error instanceof Challenged) throw await error.challenge();
  if (!(error instanceof Agreed)) throw error;
}

async function userOf(ctx: Context, identity: Identity): Promise<User> {
  if ('profile' in identity) return resolveUser(ctx, identity.profile);
  return 'address' in identity ? resolveAddress(ctx, identity.address) : identity.user;
}

async function start(
  ctx: Context,
  user: User,
  device: Device,
  method: SignInAttempt['method'],
  attempt: CountedAttempt | undefined,
): Promise<Session> {
  const inTransaction = ctx.limits.isTransactional();
  try {
    const session = await ctx.db.transaction(async () => {
      const started = await startSession(ctx, user, device, method, (locked) =>
        askPolicies(ctx, { user: locked, roles: user.roleNames, device, method }),
      );
      if (inTransaction) await attempt?.succeeded();
      return started;
    });
    if (!inTransaction) await attempt?.succeeded();
    return session;
  } catch (error) {
    throw error instanceof Challenged ? await error.challenge() : error;
  }
}

/** Undoes the transaction of a sign-in for which something is missing. */
class Challenged extends Error {
  readonly challenge: Challenge;

  constructor(challenge: Challenge) {
    super('A sign-in policy asks for more');
    this.challenge = challenge;
  }
}

/** Undoes the transaction of a sign-in in which every policy agreed. */
class Agreed extends Error {}

async function askPolicies(ctx: Context, attempt: SignInAttempt): Promise<void> {
  for (const policy of ctx.signInPolicies) {
    const challenge = await policy(ctx, attempt);
    if (challenge) throw new Challenged(challenge);
  }
}
