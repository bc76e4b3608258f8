import { readdir } from 'node:fs/promises';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { gauge, type Family } from '#src/metrics/families';

/** How exactly the lag of the event loop is measured, in milliseconds. */
const RESOLUTION_MS = 20;
const SECOND_NS = 1e9;

/**
 * Of the process: under the names that other programs use, too. Nothing is measured between two scrapes but the lag of
 * the event loop. Call `stop` at the end.
 */
export function processMetrics(version: string): { families: Family[]; stop: () => void } {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  /** The lag since somebody asked last. What Node answers is the time between two looks. */
  const lag = (ns: number) =>
    Math.max(0, (Number.isFinite(ns) ? ns : 0) / SECOND_NS - RESOLUTION_MS / 1000);
  const families = [
    gauge({
      name: 'sallyport_build_info',
      help: 'Always 1. The version is a label.',
      labels: ['version'],
      aggregator: 'first',
      read: () => [[1, version]],
    }),
    gauge({
      name: 'process_cpu_seconds_total',
      help: 'Processor time of the process, of user and system together.',
      type: 'counter',
      read: () => {
        const { user, system } = process.cpuUsage();
        return [[(user + system) / 1e6]];
      },
    }),
    gauge({
      name: 'process_resident_memory_bytes',
      help: 'Memory of the process.',
      read: () => [[process.memoryUsage.rss()]],
    }),
    gauge({
      name: 'process_start_time_seconds',
      help: 'When the process started, in seconds since 1970.',
      aggregator: 'max',
      read: () => [[performance.timeOrigin / 1000]],
    }),
    gauge({
      name: 'process_open_fds',
      help: 'Files and sockets that the process has open. Linux only.',
      read: async () => [[(await readdir('/proc/self/fd')).length - 1]], // without that of the folder
    }),
    gauge({
      name: 'nodejs_heap_size_used_bytes',
      help: 'Part of the JavaScript heap that is in use.',
      read: () => [[process.memoryUsage().heapUsed]],
    }),
    gauge({
      name: 'nodejs_eventloop_active_seconds_total',
      help: 'How long the event loop has worked and not waited. Its rate is the load of one core, 0 to 1.',
      type: 'counter',
      read: () => [[performance.eventLoopUtilization().active / 1000]],
    }),
    gauge({
      name: 'nodejs_eventloop_lag_p99_seconds',
      help: 'How late the event loop came to a timer since the last scrape: 99 of 100 times, less.',
      aggregator: 'max',
      read: () => [[lag(delay.percentile(99))]],
    }),
    gauge({
      name: 'nodejs_eventloop_lag_max_seconds',
      help: 'The same, at most.',
      aggregator: 'max',
      read: () => {
        const max = lag(delay.max);
        delay.reset(); // the last that is read of it
        return [[max]];
      },
    }),
  ];
  return { families, stop: () => void delay.disable() };
}
