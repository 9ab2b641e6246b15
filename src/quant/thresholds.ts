import type { Histogram } from './histogram.js';

/** The real numbers that a grid is to cover; it always covers 0. */
export interface Range {
  readonly lo: number;
  readonly hi: number;
}

/** Algorithms that choose a range from a histogram. `moving-average` needs the order of the samples besides. */
export const ALGORITHMS = ['minmax', 'moving-average', 'percentile', 'kl', 'mse', 'aciq'] as const;
/** The name of an algorithm. */
export type Algorithm = (typeof ALGORITHMS)[number];

/** How codes are laid over a range: s8 symmetric around 0, or u8 with a zero point. */
export type Scheme = 's8' | 'u8';

/** Settings of the algorithms. */
export interface ThresholdOptions {
  readonly scheme: Scheme;
  /** Per cent of the elements that `percentile` keeps within the range at either end. */
  readonly percentile: number;
}

/** The whole range. */
export const minmax = (h: Histogram): Range => ({ lo: Math.min(h.min, 0), hi: Math.max(h.max, 0) });

/** The part of a range within a threshold t: [max(lo, -t), min(hi, t)]. */
export const within = ({ lo, hi }: Range, t: number): Range => ({ lo: Math.max(lo, -t), hi: Math.min(hi, t) });

/** The range that leaves out (100 - p) per cent of the elements at either end. */
export function percentileRange(h: Histogram, p: number): Range {
  const { values, counts } = h.elements();
  const full = minmax(h);
  const outside = (h.count * (100 - p)) / 100;
  const end = (order: readonly number[]): number => {
    let passed = 0;
    for (const i of order) {
      passed += counts[i] as number;
      if (passed > outside) return values[i] as number;
    }
    return 0;
  };
  const up = Array.from(values.keys());
  return { lo: Math.min(Math.max(end(up), full.lo), 0), hi: Math.max(Math.min(end(up.reverse()), full.hi), 0) };
}
