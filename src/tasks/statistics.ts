/** The value below which a share of a list lies, between neighbours in proportion; NaN for an empty list. */
export function quantile(list: readonly number[], share: number): number {
  const sorted = [...list].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)] ?? Number.NaN, sorted[Math.ceil(at)] ?? Number.NaN];
  return low + (high - low) * (at - Math.floor(at));
}

export const median = (list: readonly number[]): number => quantile(list, 0.5);

/** What is told of a list of times, in their unit. */
export interface Summary {
  readonly count: number;
  readonly mean: number;
  readonly least: number;
  readonly p10: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** Mean and quantiles of a list. */
export function summarize(list: readonly number[]): Summary {
  const [least, p10, p50, p90, p99] = [0, 0.1, 0.5, 0.9, 0.99].map((share) => quantile(list, share)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const mean = list.reduce((sum, v) => sum + v, 0) / list.length;
  return { count: list.length, mean, least, p10, p50, p90, p99 };
}
