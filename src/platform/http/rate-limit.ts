import type { Request, RequestHandler } from 'express';
import { LRUCache } from 'lru-cache';
import type { Context } from '#src/context';
import { inWords, MINUTE_MS } from '#src/lifetimes';
import { clientIp } from '#src/platform/http/client-ip';
import { networkOf } from '#src/platform/http/network';
import { Problem } from '#src/platform/http/problem';
import { guard } from '#src/platform/http/route';
import type { LimitClass, LimitRule } from '#src/platform/limits/limits';

/**
 * Refuses with 429 `rate_limited` what a class counts too often, before anything is hashed. `whose` names the subject of
 * rules by account, user or session; undefined is not counted. Costs a statement, or a message to Redis, for each rule.
 */
export const limit = (
  ctx: Context,
  limitClass: LimitClass,
  whose?: (req: Request) => string | undefined,
) => {
  const { name, rules } = limitClass;
  return guard(
    { problems: ['rate_limited'], limit: name, note: noteFor(rules) },
    async (req, _res, next) => {
      if (ctx.settings.limits === 'off') return next();
      const subjectFor = (by: LimitRule['by']) =>
        by === 'network' ? networkOf(req) : by === 'everybody' ? '' : whose?.(req);
      const full = await ctx.limits.hit(limitClass, subjectFor);
      if (!full) return next();
      if (full.news) announce(ctx, name, req);
      throw tooMany(name, rules, full.rule, full.opensAt - ctx.clock.now());
    },
  );
};

const noteFor = (rules: readonly LimitRule[]) =>
  `Limited: ${rules.map(({ by, max, window }) => `${max} in ${inWords(window / 1000)} by ${by}`).join(', ')}.`;

/** All requests of a network together. Each node counts for itself, in memory. */
const EVERYTHING: LimitRule = { by: 'network', max: 300, window: MINUTE_MS };
/** How many networks are counted at a time. */
const MOST_NETWORKS = 50_000;
/** Health checks come from one address, and must get an answer. */
const UNCOUNTED = new Set(['/livez', '/readyz']);

/** Stands before everything. Costs no statement and no message. */
export function limitEverything(ctx: Context): RequestHandler {
  const { settings, clock } = ctx;
  if (settings.limits === 'off') return (_req, _res, next) => next();
  const counters = new LRUCache<string, { hits: number; resetsAt: number }>({ max: MOST_NETWORKS });
  return (req, _res, next) => {
    if (UNCOUNTED.has(req.path)) return next();
    const network = networkOf(req);
    const now = clock.now();
    let counter = counters.get(network);
    if (!counter || counter.resetsAt <= now) {
      counter = { hits: 0, resetsAt: now + EVERYTHING.window };
      counters.set(network, counter);
    }
    if (++counter.hits <= EVERYTHING.max) return next();
    if (counter.hits === EVERYTHING.max + 1) announce(ctx, 'anything', req);
    throw tooMany('anything', [EVERYTHING], EVERYTHING, counter.resetsAt - now);
  };
}

/**
 * `Retry-After` (RFC 9110 §10.2.3) in whole seconds, and the structured fields of
 * draft-ietf-httpapi-ratelimit-headers-10.
 */
function tooMany(
  name: string,
  rules: readonly LimitRule[],
  rule: LimitRule,
  waitMs: number,
): Problem {
  const seconds = String(Math.max(1, Math.ceil(waitMs / 1000)));
  const policy = ({ by, window }: LimitRule) => `"${name}-${by}-${window / 1000}"`;
  return new Problem('rate_limited', {
    headers: {
      'Retry-After': seconds,
      RateLimit: `${policy(rule)};r=0;t=${seconds}`,
      'RateLimit-Policy': rules
        .map((each) => `${policy(each)};q=${each.max};w=${each.window / 1000}`)
        .join(', '),
    },
  });
}

function announce({ events, limits, settings }: Context, name: string, req: Request): void {
  events.emit('limit.reached', { limit: name, ip: clientIp(req) });
  if (settings.trustProxy !== 0 || req.headers['x-forwarded-for'] === undefined) return;
  limits.warnOnce(
    'a request with X-Forwarded-For was refused: if a proxy stands in front, set TRUST_PROXY, or all its clients share one limit',
  );
}
