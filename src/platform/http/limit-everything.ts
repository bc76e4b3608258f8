import type { Request, RequestHandler } from 'express';
import { LRUCache } from 'lru-cache';
import type { Context } from '#src/context';
import { atMost } from '#src/platform/at-most';
import { networkOf, sharedFactor, siteOf } from '#src/platform/http/network';
import { announce, deferRefusal, tooMany } from '#src/platform/http/rate-limit';
import type { Hit, LimitedBy } from '#src/platform/limits/limit-class';
import type { Rate } from '#src/platform/settings/limits';

/** Whom a request seems to come from: the session, or the user of a credential without one; or the service. */
export interface Claimed {
  by: 'session' | 'service';
  subject: string;
}

/** How many networks are counted at a time. */
const MOST_COUNTERS = 50_000;
/** Health checks come from one address, and must get an answer. */
const UNCOUNTED = new Set(['/livez', '/readyz']);
/** The credential of these is in the body, which is not read yet. */
const CREDENTIAL_IN_BODY = /^\/(auth\/(refresh|logout)|oauth\/(token|revoke))\/?$/i;

/**
 * Stands before everything. Each node counts for itself, in memory: it costs no statement and no message. What somebody
 * asks who is signed in is counted by session, or by service: strangers who fill their network's counter do not keep them
 * out.
 *
 * `claimedBy` names the session of a request. With `verify` it also checks the signature of a token that it has not seen
 * before. That is asked for only when the network is full, because it costs more than the rest of a refusal.
 */
export function limitEverything(
  ctx: Context,
  claimedBy: (req: Request, verify: boolean) => Claimed | undefined,
): RequestHandler {
  const { settings, clock } = ctx;
  if (settings.limits === 'off') return (_req, _res, next) => next();
  const { limitRequestsPerNetwork, limitRequestsPerSite } = settings;
  const ratesOf = {
    session: settings.limitRequestsPerSession,
    service: settings.limitRequestsPerService,
  };
  const counters = new LRUCache<string, { hits: number; resetsAt: number }>(atMost(MOST_COUNTERS));

  /** Counts a request. Answers what to refuse it with, if it is one too many. */
  function refusal(
    req: Request,
    by: LimitedBy,
    rates: readonly Rate[],
    subject: string,
    factor = 1,
  ) {
    const now = clock.now();
    for (const { max, window } of rates) {
      const key = `${by} ${window} ${subject}`;
      let counter = counters.get(key);
      if (!counter || counter.resetsAt <= now)
        counters.set(key, (counter = { hits: 0, resetsAt: now + window }));
      if (++counter.hits <= max * factor) continue;
      const hitOf = (rate: Rate): Hit => ({
        limit: 'anything',
        rule: { by, ...rate, max: rate.max * factor },
        subject,
      });
      const hit = hitOf({ max, window });
      if (counter.hits === hit.rule.max + 1) void announce(ctx, hit, req); // a flood waits for no database
      return tooMany(ctx, rates.map(hitOf), { hit, opensAt: counter.resetsAt });
    }
    return undefined;
  }
  const ofClaimed = (req: Request, { by, subject }: Claimed) =>
    refusal(req, by, ratesOf[by], subject);
  /** The site first: one that is full takes no room for its networks. */
  function ofNetwork(req: Request) {
    const [site, factor] = [siteOf(req), sharedFactor(settings, req)];
    return (
      (site && refusal(req, 'site', limitRequestsPerSite, site, factor)) ||
      refusal(req, 'network', limitRequestsPerNetwork, networkOf(req), factor)
    );
  }

  return (req, _res, next) => {
    if (UNCOUNTED.has(req.path)) return next();
    const known = claimedBy(req, false);
    let problem = known === undefined ? ofNetwork(req) : ofClaimed(req, known);
    if (problem && known === undefined) {
      const claimed = claimedBy(req, true);
      if (claimed) problem = ofClaimed(req, claimed);
      else if (CREDENTIAL_IN_BODY.test(req.path)) {
        deferRefusal(req, problem);
        problem = undefined;
      }
    }
    if (problem) throw problem;
    next();
  };
}
