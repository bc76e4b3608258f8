import { counters, histograms, type Add, type Counted, type Observed } from '#src/metrics/families';

export interface RequestMetrics {
  /** The only paths that a metric names. */
  declareRoutes(paths: Iterable<string>): void;
  /** A request was answered, or left (`status` undefined). `ms`: milliseconds. */
  request(method: string, path: unknown, status: number | undefined, ms: number): void;
}

/** Whatever is not declared has this name: a stranger must not make time series. */
export const OTHER = 'other';
const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
]);
/** Upper bounds of buckets, in seconds. A guarded request takes a millisecond, a sign-in a hundred times as long. */
const REQUEST_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function requestMetrics(add: Add): RequestMetrics {
  const requests = add(
    counters({
      name: 'sallyport_http_requests_total',
      help: 'Requests by method, route and status. Status `none`: the client went away before.',
      labels: ['method', 'route', 'status'],
    }),
  );
  const durations = add(
    histograms(
      {
        name: 'sallyport_http_request_duration_seconds',
        help: 'Time from the first byte of a request to the last of its answer.',
        labels: ['method', 'route'],
      },
      REQUEST_BOUNDS,
    ),
  );
  const declared = new Set<string>();
  interface Series {
    duration: Observed;
    byStatus: Map<number | undefined, Counted>;
  }
  const byRoute = new Map<string, Map<string, Series>>();

  function seriesOf(method: string, path: string): Series {
    let byMethod = byRoute.get(path);
    if (!byMethod) byRoute.set(path, (byMethod = new Map()));
    let series = byMethod.get(method);
    if (!series) {
      series = { duration: durations.child(method, path), byStatus: new Map() };
      byMethod.set(method, series);
    }
    return series;
  }
  return {
    declareRoutes(paths) {
      for (const path of paths) declared.add(path);
    },
    request(method, path, status, ms) {
      const known = METHODS.has(method) ? method : OTHER;
      const route = typeof path === 'string' && declared.has(path) ? path : OTHER;
      const { duration, byStatus } = seriesOf(known, route);
      duration.observe(ms / 1000);
      let counted = byStatus.get(status);
      if (!counted) {
        counted = requests.child(known, route, status === undefined ? 'none' : String(status));
        byStatus.set(status, counted);
      }
      counted.value++;
    },
  };
}
