export const median = (numbers: readonly number[]): number => {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

export interface Comparison {
  /** Difference of the medians, and the interval that holds it in 95 of 100 resamples (percentile bootstrap). */
  difference: number;
  low: number;
  high: number;
  /** How often chance alone makes two samples differ like these (Mann-Whitney U, two-sided, normal approximation). */
  p: number;
}

const RESAMPLES = 2000;
const pick = (from: readonly number[]): number[] =>
  Array.from(from, () => from[Math.floor(Math.random() * from.length)]!);

/** How far two samples of times, of some dozens each or more, are apart: a less b, in their unit. */
export function compare(a: readonly number[], b: readonly number[]): Comparison {
  const differences = Array.from(
    { length: RESAMPLES },
    () => median(pick(a)) - median(pick(b)),
  ).sort((x, y) => x - y);
  const at = (share: number) => differences[Math.floor(share * (RESAMPLES - 1))]!;
  return {
    difference: median(a) - median(b),
    low: at(0.025),
    high: at(0.975),
    p: mannWhitney(a, b),
  };
}

function mannWhitney(a: readonly number[], b: readonly number[]): number {
  const above = a.reduce(
    (sum, x) => sum + b.reduce((wins, y) => wins + (x > y ? 1 : x === y ? 0.5 : 0), 0),
    0,
  );
  const [n, m] = [a.length, b.length];
  const z = (above - (n * m) / 2) / Math.sqrt((n * m * (n + m + 1)) / 12);
  return 2 * (1 - normal(Math.abs(z)));
}

/** The share of a normal distribution below z (Abramowitz and Stegun 26.2.17, exact to 7 decimals). */
function normal(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const tail = [1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.31938153].reduce(
    (sum, each) => (sum + each) * t,
    0,
  );
  return 1 - (Math.exp(-(z * z) / 2) / Math.sqrt(2 * Math.PI)) * tail;
}
