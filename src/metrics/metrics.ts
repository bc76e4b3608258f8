import type { EventMap } from '#src/events';
import { loadMetricsLibrary, textOf } from '#src/metrics/exposition';
import { counters, histograms, type Add, type Family, type Measured } from '#src/metrics/families';
import { processMetrics } from '#src/metrics/process-metrics';
import { OTHER, requestMetrics, type RequestMetrics } from '#src/metrics/request-metrics';
import type { HashingObserver } from '#src/platform/crypto/hashing-queue';
import type { Events } from '#src/platform/events';
import { version } from '#src/version';

const REFRESH_OUTCOMES = [
  'succeeded',
  'expired',
  'revoked',
  'reused',
  'unknown',
  'key',
  'failed',
] as const;

/** Counts what one instance does. Without it (`ctx.metrics` undefined) nothing is counted. */
export interface Metrics extends RequestMetrics {
  /** How a refresh token was answered: `succeeded`, the reason of the refusal, or `failed` if there was none. */
  refreshed(outcome: string): void;
  /** A session was looked for in the cache. */
  sessionRead(isHit: boolean): void;
  readonly hashing: HashingObserver;
  /** Counts sign-ins, limits and mails. Call the answer to stop. */
  listenTo(events: Events<EventMap>, strategies: () => readonly string[]): () => void;
  /** Adds what is looked up when somebody asks. */
  add(...families: Family[]): void;
  /** Loads the library, so that the first scrape does not wait for it. */
  load(): Promise<unknown>;
  /** All metrics as Prometheus reads them (text format 0.0.4). */
  text(): Promise<string>;
  /** The same for another process. */
  measure(): Promise<Measured[]>;
  close(): void;
}

/** Upper bounds of buckets, in seconds. */
const WAIT_BOUNDS = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2];

export function createMetrics(): Metrics {
  const families: Family[] = [];
  const add: Add = (family) => {
    families.push(family);
    return family;
  };
  const request = requestMetrics(add);
  const refreshes = add(
    counters({
      name: 'sallyport_refreshes_total',
      help: 'Refresh tokens that were presented, by outcome. `reused` ended a session: the token may have been stolen.',
      labels: ['outcome'],
    }),
  );
  const reads = add(
    counters({
      name: 'sallyport_session_cache_reads_total',
      help: 'Sessions of guarded requests that were looked for in the cache, where one is in use.',
      labels: ['result'],
    }),
  );
  const [hits, misses] = [reads.child('hit'), reads.child('miss')];
  for (const outcome of REFRESH_OUTCOMES) refreshes.child(outcome);
  const ofProcess = processMetrics(version);
  families.push(...ofProcess.families);
  return {
    ...request,
    refreshed: (outcome) => void refreshes.child(outcome).value++,
    sessionRead: (isHit) => void (isHit ? hits : misses).value++,
    hashing: hashingMetrics(add),
    listenTo: eventMetrics(add),
    add: (...more) => void families.push(...more),
    load: loadMetricsLibrary,
    text: () => textOf(families),
    measure: () => Promise.all(families.map((family) => family.get())),
    close: ofProcess.stop,
  };
}

function hashingMetrics(add: Add): HashingObserver {
  const waits = add(
    histograms(
      {
        name: 'sallyport_hash_wait_seconds',
        help: 'How long a password waited until it was hashed or compared.',
      },
      WAIT_BOUNDS,
    ),
  );
  const refusals = add(
    counters({
      name: 'sallyport_hashes_refused_total',
      help: 'Passwords that were not hashed because too many waited, or for too long: 503 `busy`.',
    }),
  );
  const [wait, refused] = [waits.child(), refusals.child()];
  return {
    waited: (ms) => wait.observe(ms / 1000),
    refused: () => void refused.value++,
  };
}

/** Strategies and limits have names that stand in code. What a strategy says of itself may not be one of them. */
function eventMetrics(add: Add): Metrics['listenTo'] {
  const signIns = add(
    counters({
      name: 'sallyport_sign_ins_total',
      help: 'Sign-ins by strategy and outcome: succeeded, refused, or challenged, which asks for a second factor.',
      labels: ['strategy', 'outcome'],
    }),
  );
  const limits = add(
    counters({
      name: 'sallyport_limits_reached_total',
      help: 'Limits that were reached. That of a network or session counts once while it lasts, that of an account for each sign-in.',
      labels: ['limit'],
    }),
  );
  const mails = add(
    counters({
      name: 'sallyport_mails_total',
      help: 'Mails that were sent, or given up.',
      labels: ['outcome'],
    }),
  );
  const [sent, failed] = [mails.child('sent'), mails.child('failed')];
  const dropped = mails.child('dropped');
  return (events, strategies) => {
    // A series that begins with 0 shows its first event as an increase.
    for (const name of strategies())
      for (const outcome of ['succeeded', 'challenged', 'refused']) signIns.child(name, outcome);
    const nameOf = (strategy: string) => (strategies().includes(strategy) ? strategy : OTHER);
    const signIn = (strategy: string, outcome: string) =>
      void signIns.child(nameOf(strategy), outcome).value++;
    const stops = [
      events.on('session.started', ({ strategy }) => signIn(strategy, 'succeeded')),
      events.on('session.challenged', ({ strategy }) => signIn(strategy, 'challenged')),
      events.on('session.refused', ({ strategy }) => signIn(strategy, 'refused')),
      events.on('limit.reached', ({ limit }) => void limits.child(limit).value++),
      events.on('mail.sent', () => void sent.value++),
      events.on('mail.dropped', () => void dropped.value++),
      events.on('mail.failed', () => void failed.value++),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  };
}
