/** A value of a metric, as prom-client's registries take and give it. */
interface Sample {
  value: number;
  labels: Readonly<Record<string, string | number>>;
  /** Of a histogram: with its suffix. */
  metricName?: string;
}
/** A metric with its values, as JSON. It passes between processes. */
export interface Measured {
  name: string;
  help: string;
  type: 'counter' | 'gauge' | 'histogram';
  /** What makes one value of those of several processes. */
  aggregator: 'sum' | 'max' | 'first';
  values: Sample[];
}
/** A metric of a registry. */
export interface Family {
  readonly name: string;
  get(): Promise<Measured>;
}

/** Adds a metric to those of an instance, and answers it. */
export type Add = <F extends Family>(family: F) => F;

interface Definition {
  /** By the rules of Prometheus: base units, and `_total` for a counter. */
  name: string;
  help: string;
  labels?: readonly string[];
}
const labelsOf = (names: readonly string[], values: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name, i) => [name, values[i]!]));

/** One series: a number that only grows. */
export interface Counted {
  value: number;
}

/**
 * A counter for each combination of labels. Callers keep what `child` answers: then counting is one addition, where
 * prom-client would hash and check the labels each time.
 */
export function counters({ name, help, labels = [] }: Definition) {
  const children = new Map<string, Counted & { labels: Record<string, string> }>();
  return {
    name,
    child(...values: string[]): Counted {
      const key = values.join('\0');
      let child = children.get(key);
      if (!child) children.set(key, (child = { value: 0, labels: labelsOf(labels, values) }));
      return child;
    },
    get: async (): Promise<Measured> => {
      const values = [...children.values()].map(({ value, labels }) => ({ value, labels }));
      return { name, help, type: 'counter', aggregator: 'sum', values };
    },
  };
}

/** One series of a histogram. */
export interface Observed {
  observe(value: number): void;
}

/** A histogram for each combination of labels. `bounds`: the upper bounds of its buckets, in the unit of the metric. */
export function histograms({ name, help, labels = [] }: Definition, bounds: readonly number[]) {
  const children = new Map<string, Histogram>();
  return {
    name,
    child(...values: string[]): Observed {
      const key = values.join('\0');
      let child = children.get(key);
      if (!child) children.set(key, (child = new Histogram(bounds, labelsOf(labels, values))));
      return child;
    },
    get: async (): Promise<Measured> => {
      const values = [...children.values()].flatMap((child) => child.samples(name));
      return { name, help, type: 'histogram', aggregator: 'sum', values };
    },
  };
}

class Histogram implements Observed {
  readonly #bounds: readonly number[];
  readonly #labels: Record<string, string>;
  /** By bucket, the one without a bound last. Each holds its own values only. */
  readonly #counts: number[];
  #sum = 0;

  constructor(bounds: readonly number[], labels: Record<string, string>) {
    this.#bounds = bounds;
    this.#labels = labels;
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.#bounds.length && value > this.#bounds[bucket]!) bucket++;
    this.#counts[bucket]! += 1;
    this.#sum += value;
  }

  samples(name: string): Sample[] {
    const labels = this.#labels;
    let count = 0;
    const buckets = this.#counts.map((own, i) => ({
      value: (count += own),
      labels: { le: this.#bounds[i] ?? '+Inf', ...labels },
      metricName: `${name}_bucket`,
    }));
    return [
      ...buckets,
      { value: this.#sum, labels, metricName: `${name}_sum` },
      { value: count, labels, metricName: `${name}_count` },
    ];
  }
}

interface GaugeDefinition extends Definition {
  type?: 'gauge' | 'counter';
  aggregator?: Measured['aggregator'];
  /** The values now, each with those of its labels. What fails has none. */
  read: () => Iterable<Read> | Promise<Iterable<Read>>;
}
type Read = readonly [value: number, ...labels: string[]];

/** What is looked up when somebody asks. */
export const gauge = ({
  name,
  help,
  labels = [],
  type = 'gauge',
  aggregator = 'sum',
  read,
}: GaugeDefinition): Family => ({
  name,
  async get() {
    let found: Iterable<Read> = [];
    try {
      found = await read();
    } catch {
      // The others are told all the same: the database may be away, and that is when somebody looks.
    }
    const values = [...found].map(([value, ...own]) => ({ value, labels: labelsOf(labels, own) }));
    return { name, help, type, aggregator, values };
  },
});
