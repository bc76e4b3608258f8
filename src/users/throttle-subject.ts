import type { IncludeOptions, WhereOptions } from 'sequelize';
import type { Context } from '#src/context';
import { networkOf } from '#src/platform/http/network';
import { hitsOf, type Hit } from '#src/platform/limits/limit-class';
import { fold } from '#src/platform/text';
import { handOver } from '#src/users/handed-user';
import { identifierOf } from '#src/users/identifiers';
import { LOGIN_FAILURES } from '#src/users/limits';
import { SESSIONS_CONSIDERED } from '#src/users/known-sessions';
import { readForSignIn } from '#src/users/read-for-sign-in';

export interface ThrottleSubject {
  /** Whose failures are counted together. */
  id: string;
  /** Networks from which the user has signed in or refreshed, as long as the session is kept. */
  networks: readonly string[];
  /** The user, if there is one. */
  userId?: string | undefined;
}

/**
 * Who is counted for a typed name. All names of one user are one subject. All spellings of an
 * unknown name are one, too. An unknown name takes as many queries as a known one, so time does not
 * tell which names exist. In a sign-in, the comparison of the password gets what is read here: see `handOver`.
 */
export async function throttleSubject(ctx: Context, name: string): Promise<ThrottleSubject> {
  const where = identifierOf(name);
  if (!where) return { id: 'name', networks: [] };
  const read = await readForSignIn(ctx, where);
  handOver(ctx, name, read);
  const userId = read.user?.id;
  return {
    id: userId ? `user ${userId}` : asTyped(Object.values(where).join('')),
    networks: networksOf(read.user?.knownSessions?.origins.flatMap(({ ip }) => ip ?? []) ?? []),
    userId,
  };
}

/**
 * The same for a name whose password is compared next. What could not be compared soon is refused before anything is read
 * or counted, so a server that is busy with hashing does nothing else for it.
 * @throws {Problem} 503 `busy`
 */
export async function passwordSubject(ctx: Context, name: string): Promise<ThrottleSubject> {
  ctx.passwords.refuseIfBusy();
  return throttleSubject(ctx, name);
}

/**
 * The same for an account of a provider, such as an entry of a directory. `subject`: its permanent id there, undefined if
 * the name that was typed has none.
 */
export async function identitySubject(
  ctx: Context,
  provider: string,
  subject: string | undefined,
  typed: string,
): Promise<ThrottleSubject> {
  const identity = {
    association: 'identities',
    attributes: [],
    where: { provider, subject: subject ?? '' },
  };
  return {
    id: `${provider} ${subject ?? asTyped(typed)}`,
    ...(await userAndNetworks(ctx, {}, [identity])),
  };
}

/** The subject of a name that nobody here has. All its spellings are one. */
export const asTyped = (name: string): string => `name ${fold(name.trim())}`;

/** One query, whether or not there is such a user. */
async function userAndNetworks({ db }: Context, where: WhereOptions, more: IncludeOptions[] = []) {
  // An administrator who acts for the user has not signed in as the user.
  const own = { where: { actorId: null }, required: false };
  const sessions = { association: 'sessions', attributes: ['ip'], ...own };
  const rows = (await db.User.findAll({
    attributes: ['id'],
    where,
    include: [...more, sessions],
    order: [['sessions', 'id', 'DESC']],
    limit: SESSIONS_CONSIDERED,
    subQuery: false,
    raw: true,
  })) as unknown as { id: string; 'sessions.ip': string | null }[];
  const ips = rows.flatMap(({ 'sessions.ip': ip }) => ip ?? []);
  return { userId: rows[0]?.id, networks: networksOf(ips) };
}

const networksOf = (ips: readonly string[]) => [...new Set(ips.map((ip) => networkOf({ ip })))];

/** The counter of a subject. Networks from which its user has signed in before have counters of their own. */
export const failureHits = (
  { settings }: Pick<Context, 'settings'>,
  { id, networks }: ThrottleSubject,
  network: string,
) =>
  hitsOf(settings, LOGIN_FAILURES, () => (networks.includes(network) ? `${id} at ${network}` : id));

/** Who is counted for a wrong second factor. */
export const factorSubject = async (ctx: Context, userId: string): Promise<ThrottleSubject> => ({
  id: `user ${userId}`,
  ...(await userAndNetworks(ctx, { id: userId })),
});

const forFactors = (id: string) => `${id} second factor`;

/**
 * A wrong second factor is a failed sign-in of the user. It is counted once more by itself: whoever guesses knows the
 * password, or can reset it, and that must not give them new guesses.
 */
export const factorFailureHits = (
  ctx: Pick<Context, 'settings'>,
  subject: ThrottleSubject,
  network: string,
) => [
  ...failureHits(ctx, subject, network),
  ...failureHits(ctx, { ...subject, id: forFactors(subject.id) }, network),
];

/** What is counted apart for a user: passwords, second factors, and accounts of providers. */
interface FailureCounter {
  /** `sign_in`, `second_factor` or the name of a provider. */
  of: string;
  /** From which they were tried. Null: all networks that the user was never seen in. */
  network: string | null;
  hit: Hit;
}

async function countersOf(ctx: Context, userId: string): Promise<FailureCounter[]> {
  const { networks } = await userAndNetworks(ctx, { id: userId });
  const identities = await ctx.db.Identity.findAll({ where: { userId } });
  const subjects = [
    { of: 'sign_in', id: `user ${userId}` },
    { of: 'second_factor', id: forFactors(`user ${userId}`) },
    ...identities.map(({ provider, subject }) => ({ of: provider, id: `${provider} ${subject}` })),
  ];
  return subjects.flatMap(({ of, id }) =>
    [null, ...networks].flatMap((network) =>
      failureHits(ctx, { id, networks }, network ?? '').map((hit) => ({ of, network, hit })),
    ),
  );
}

/** Failed sign-ins that are counted against a user now. */
export interface LoginFailures extends Omit<FailureCounter, 'hit'> {
  count: number;
  /** Until then every sign-in from there is refused. Null: it is tried. */
  lockedUntil: Date | null;
}

/** The failed sign-ins of a user that are not forgotten yet, one entry for each counter that is not zero. */
export async function loginFailuresOf(ctx: Context, userId: string): Promise<LoginFailures[]> {
  const counters = await countersOf(ctx, userId);
  const counts = await ctx.limits.read(counters.map(({ hit }) => hit));
  const now = ctx.clock.now();
  return counters.flatMap(({ of, network }, i) => {
    const { hits, opensAt } = counts[i]!;
    const lockedUntil = opensAt > now ? new Date(opensAt) : null;
    return hits > 0 ? [{ of, network, count: hits, lockedUntil }] : [];
  });
}

/**
 * Forgets the failed sign-ins of a user, in all networks and at all providers. For a user who has just proved who they are
 * in another way, and for an operator, who forgets wrong second factors, too.
 */
export async function forgetLoginFailures(
  ctx: Context,
  userId: string,
  { secondFactors = false } = {},
): Promise<void> {
  const counters = await countersOf(ctx, userId);
  const wanted = counters.filter(({ of }) => secondFactors || of !== 'second_factor');
  await ctx.limits.forget(wanted.map(({ hit }) => hit));
}
