import type { Metric, MetricObject, MetricObjectWithValues, MetricValue } from 'prom-client';
import type { Family, Measured } from '#src/metrics/families';

type Values = MetricObjectWithValues<MetricValue<string>>;

/** Loads prom-client. Call it early, and only where metrics are on. */
export const loadMetricsLibrary = () => import('prom-client');

/** The text that Prometheus reads. */
export async function textOf(families: readonly Family[]): Promise<string> {
  const { Registry } = await loadMetricsLibrary();
  const registry = new Registry();
  for (const family of families) registry.registerMetric(family as unknown as Metric);
  return registry.metrics();
}

/** The values of several processes as one, by the aggregators of the metrics. */
export async function together(processes: readonly Measured[][]): Promise<Measured[]> {
  const { AggregatorRegistry } = await loadMetricsLibrary();
  const registry = AggregatorRegistry.aggregate(processes as unknown as MetricObject[]);
  const all = (await registry.getMetricsAsJSON()) as unknown as (Values & Measured)[];
  return all.map(({ name, help, type, aggregator, values }) => {
    return { name, help, type, aggregator, values };
  });
}

/** Of the media type of `textOf`. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
