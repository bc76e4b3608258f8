import type { Request, RequestHandler } from 'express';
import { LRUCache } from 'lru-cache';
import { sharedTime } from '#models/clock';
import { config } from '#src/config';
import { clientIp } from '#src/core/client-ip';
import { emit } from '#src/core/events';
import { hit, limits, type LimitName, type LimitRule } from '#src/core/limits';
import { log } from '#src/core/log';
import { networkOf } from '#src/core/network';
import { Problem } from '#src/core/problem';
import { guard } from '#src/http/route';

const MINUTE = 60_000;
/** Requests of a network in a minute, whatever they ask for; each node counts for itself, in memory. */
const ANYTHING = { by: 'network', max: 300, window: MINUTE } as const;

/**
 * Refuses with 429 what a class of `core/limits` counts too often, before anything is hashed. `whose` says who is counted where a rule
 * is by account, user or session; undefined is nobody. Costs a statement, or a message to Redis, for each rule of the class.
 */
export const limit = (name: LimitName, whose?: (req: Request) => string | undefined) =>
  guard({ problems: ['rate_limited'], limit: name, note: noteFor(limits[name]) }, async (req, _res, next) => {
    if (config.LIMITS === 'off') return next();
    const subjects = (by: LimitRule['by']) => (by === 'network' ? networkOf(req) : by === 'everybody' ? '' : whose?.(req));
    const full = await hit(name, subjects);
    if (!full) return next();
    if (full.news) announce(name, req);
    throw tooMany(name, limits[name], full.rule, full.opensAt - sharedTime().getTime());
  });

const noteFor = (rules: readonly LimitRule[]) =>
  `Limited: ${rules.map(({ by, max, window }) => `${max} in ${window / 1000} s by ${by}`).join(', ')}.`;

const hits = new LRUCache<string, { count: number; resetsAt: number }>({ max: 50_000 });
/** Who watches over this server asks from one address, and must hear that it lives. */
const UNCOUNTED = new Set(['/livez', '/readyz']);

/** Stands before everything: no statement and no message for it. */
export const limitAnything: RequestHandler = (req, _res, next) => {
  if (config.LIMITS === 'off' || UNCOUNTED.has(req.path)) return next();
  const network = networkOf(req);
  const now = Date.now();
  let counter = hits.get(network);
  if (!counter || counter.resetsAt <= now) hits.set(network, (counter = { count: 0, resetsAt: now + ANYTHING.window }));
  if (++counter.count <= ANYTHING.max) return next();
  if (counter.count === ANYTHING.max + 1) announce('anything', req);
  throw tooMany('anything', [ANYTHING], ANYTHING, counter.resetsAt - now);
};

/** `Retry-After` (RFC 9110 §10.2.3) in whole seconds, and the structured fields of draft-ietf-httpapi-ratelimit-headers-10. */
function tooMany(name: string, rules: readonly LimitRule[], rule: LimitRule, ms: number): Problem {
  const seconds = String(Math.max(1, Math.ceil(ms / 1000)));
  const policy = ({ by, window }: LimitRule) => `"${name}-${by}-${window / 1000}"`;
  return new Problem('rate_limited', {
    headers: {
      'Retry-After': seconds,
      RateLimit: `${policy(rule)};r=0;t=${seconds}`,
      'RateLimit-Policy': rules.map((each) => `${policy(each)};q=${each.max};w=${each.window / 1000}`).join(', '),
    },
  });
}

let hinted = false;
function announce(name: string, req: Request): void {
  emit('limit.reached', { limit: name, ip: clientIp(req) });
  if (hinted || config.TRUST_PROXY !== 0 || req.headers['x-forwarded-for'] === undefined) return;
  hinted = true;
  log.warn('somebody was refused whose request names a proxy: if there is one, set TRUST_PROXY, or all its clients are counted as one');
}
