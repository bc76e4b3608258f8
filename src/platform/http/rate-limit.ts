import type { Request } from 'express';
import type { Context } from '#src/context';
import { inWords } from '#src/lifetimes';
import { clientIp } from '#src/platform/http/client-ip';
import { networkOf, sharedFactor, siteOf } from '#src/platform/http/network';
import { Problem } from '#src/platform/http/problem';
import { guard, onSuccess } from '#src/platform/http/route';
import {
  hitsOf,
  type Hit,
  type LimitClass,
  type LimitRule,
} from '#src/platform/limits/limit-class';
import type { Settings } from '#src/platform/settings/settings';

/** Names the session of a request, or whatever its hits are counted for. */
type Whose = (req: Request) => string | undefined;

/** What a guard that counts a class adds to the documentation of its routes. */
export const limitDoc = ({ settings }: Pick<Context, 'settings'>, limitClass: LimitClass) => ({
  problems: ['rate_limited'] as const,
  limit: limitClass.name,
  note: noteFor(limitClass.rules(settings)),
});

/**
 * Refuses with 429 `rate_limited` what a class counts too often, before anything is hashed. `whose` names the session:
 * then that is counted in place of the network, so that strangers in the same network are not counted with it. Costs one
 * statement, or one message to Redis. What a class of failures only counted is taken back when the route has succeeded.
 */
export const limit = (ctx: Context, limitClass: LimitClass, whose?: Whose) =>
  guard(limitDoc(ctx, limitClass), async (req, _res, next) => {
    if (ctx.settings.limits === 'off') return next();
    const session = whose?.(req);
    if (whose && session === undefined) refuseDeferred(req);
    const hits = hitsFor(ctx, req, limitClass, session);
    await count(ctx, req, hits);
    if (limitClass.failuresOnly) onSuccess(req, () => ctx.limits.takeBack(hits));
    next();
  });

/** The hits of a request. With `session`, it is counted in place of the network, and the site is not. */
export function hitsFor(
  { settings }: Pick<Context, 'settings'>,
  req: Request,
  limitClass: LimitClass,
  session?: string,
): Hit[] {
  const factor = sharedFactor(settings, req);
  const own = {
    network: networkOf(req),
    site: siteOf(req),
    session,
    account: undefined,
    service: undefined,
  };
  const counted = (rule: LimitRule) => {
    if (session === undefined || rule.by === 'session')
      return { ...rule, max: rule.by === 'session' ? rule.max : rule.max * factor };
    return { ...rule, by: rule.by === 'network' ? ('session' as const) : rule.by };
  };
  const rules = (given: Settings) =>
    limitClass
      .rules(given)
      .filter(({ by }) => session === undefined || by !== 'site')
      .map(counted);
  return hitsOf(settings, { ...limitClass, rules }, ({ by }) => own[by]);
}

/** @throws {Problem} 429 `rate_limited` */
async function count(ctx: Context, req: Request, hits: readonly Hit[]): Promise<void> {
  const full = await ctx.limits.hit(hits);
  if (full) await refuse(ctx, req, hits, full);
}

/** The same for what is known to be full, without a question to the store. Such a refusal is no news. */
export function refuseKnown(ctx: Context, hits: readonly Hit[]): void {
  const full = ctx.limits.known(hits);
  if (full) throw tooMany(ctx, hits, full);
}

interface Full {
  hit: Hit;
  opensAt: number;
  news: boolean;
}

/** Announces the first refusal since a counter is full, and refuses. */
export async function refuse(
  ctx: Context,
  req: Request,
  hits: readonly Hit[],
  full: Full,
): Promise<never> {
  if (full.news) await announce(ctx, full.hit, req);
  throw tooMany(ctx, hits, full);
}

const noteFor = (rules: readonly LimitRule[]) =>
  `Limited: ${rules.map(({ by, max, window }) => `${max} in ${inWords(window / 1000)} by ${by}`).join(', ')}.`;

/**
 * `Retry-After` (RFC 9110 §10.2.3) in whole seconds, and the structured fields of
 * draft-ietf-httpapi-ratelimit-headers-10.
 */
export function tooMany(
  { clock }: Pick<Context, 'clock'>,
  hits: readonly Hit[],
  { hit, opensAt }: Pick<Full, 'hit' | 'opensAt'>,
): Problem {
  const seconds = String(Math.max(1, Math.ceil((opensAt - clock.now()) / 1000)));
  const policy = ({ by, window }: LimitRule) => `"${hit.limit}-${by}-${window / 1000}"`;
  return new Problem('rate_limited', {
    headers: {
      'Retry-After': seconds,
      RateLimit: `${policy(hit.rule)};r=0;t=${seconds}`,
      'RateLimit-Policy': hits
        .filter(({ limit }) => limit === hit.limit)
        .map(({ rule }) => `${policy(rule)};q=${rule.max};w=${rule.window / 1000}`)
        .join(', '),
    },
  });
}

/** Never fails: the refusal stands while the database is away, and the log says what is not in the audit trail. */
export async function recordReached(
  { events, log }: Context,
  event: { limit: string; ip: string | undefined; sessionId?: string; userId?: string },
): Promise<void> {
  await events.record(['limit.reached', event]).catch((error: unknown) => {
    log.warn({ err: error, ...event }, 'a limit was reached, which is not in the audit trail');
  });
}

/** Says which limit a request has reached. */
export async function announce(ctx: Context, hit: Hit, req: Request): Promise<void> {
  const { limits, settings } = ctx;
  const { by } = hit.rule;
  const whose = by === 'session' && {
    sessionId: hit.subject,
    ...(req.user && { userId: req.user.id }),
  };
  await recordReached(ctx, { limit: hit.limit, ip: clientIp(req), ...whose });
  if (settings.trustProxy !== 0 || req.headers['x-forwarded-for'] === undefined) return;
  limits.warnOnce(
    'a request with X-Forwarded-For was refused: if a proxy stands in front, set TRUST_PROXY, or all its clients share one limit',
  );
}

const DEFERRED = Symbol('deferred refusal');
type Deferrable = Request & { [DEFERRED]?: Problem };

/** Leaves it to the route, which has read the body, whether a request that is one too many has a session of its own. */
export const deferRefusal = (req: Request, problem: Problem): void =>
  void Object.assign(req, { [DEFERRED]: problem });

/** @throws {Problem} 429 `rate_limited`, if one was left to this route */
export function refuseDeferred(req: Request): void {
  const problem = (req as Deferrable)[DEFERRED];
  if (problem) throw problem;
}
