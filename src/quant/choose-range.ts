import { aciqRange } from './aciq-range.js';
import type { Histogram, Magnitudes } from './histogram.js';
import { klThreshold } from './kl-threshold.js';
import { mseRange } from './mse-range.js';
import { minmax, percentileRange, type Range, type Scheme, within } from './thresholds.js';

/** Algorithms that choose a range from a histogram alone, in whatever order its data came. */
export type HistogramAlgorithm = 'minmax' | 'percentile' | 'kl' | 'mse' | 'aciq';

/** Most bins per level: 2048 for 128 levels, as published. */
const MOST_BINS = 16;
const LEAST_BINS = 4;
/** Elements that a bin should hold on average: the divergence of emptier ones tells of chance, not of rounding. */
const ELEMENTS = 1000;

/** The magnitudes in few enough bins for `kl`: neighbours are joined, which is exact. */
function populated({ counts, width }: Magnitudes, levels: number): Magnitudes {
  const filled = counts.reduce((sum, n) => sum + (n > 0 ? 1 : 0), 0);
  const total = counts.reduce((sum, n) => sum + n, 0);
  const tooMany = counts.length > MOST_BINS * levels;
  const tooEmpty = counts.length > LEAST_BINS * levels && total < ELEMENTS * filled;
  if (!tooMany && !tooEmpty) return { counts, width };
  const joined = new Float64Array(Math.ceil(counts.length / 2));
  counts.forEach((n, i) => {
    joined[i >> 1] = (joined[i >> 1] as number) + n;
  });
  return populated({ counts: joined, width: 2 * width }, levels);
}

/** The range that an algorithm chooses for the numbers of a histogram. `percentile` is in per cent. */
export function chooseRange(h: Histogram, algorithm: HistogramAlgorithm, scheme: Scheme, percentile: number): Range {
  const full = minmax(h);
  switch (algorithm) {
    case 'minmax':
      return full;
    case 'percentile':
      return percentileRange(h, percentile);
    case 'mse':
      return mseRange(h, scheme);
    case 'aciq':
      return aciqRange(h, scheme);
    case 'kl': {
      const magnitudes = h.magnitudes();
      if (!magnitudes) return full;
      const levels = scheme === 'u8' && full.lo === 0 ? 256 : 128;
      const { counts, width } = populated(magnitudes, levels);
      return within(full, klThreshold(counts, width, levels));
    }
    default:
      return algorithm satisfies never;
  }
}
