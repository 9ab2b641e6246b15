import { gridError, gridOver } from './grids.js';
import type { Histogram } from './histogram.js';
import { minmax, type Range, type Scheme } from './thresholds.js';

/** How finely the best part of the whole range is looked for. */
const STEPS = 100;

/** The range, a part of the whole one in both directions alike, whose grid has the least mean square error. */
export function mseRange(h: Histogram, scheme: Scheme): Range {
  const bins = h.elements();
  const full = minmax(h);
  let [best, least] = [full, Number.POSITIVE_INFINITY];
  for (let i = STEPS; i > 0; i--) {
    const range = { lo: (full.lo * i) / STEPS, hi: (full.hi * i) / STEPS };
    const { noise } = gridError(bins, gridOver(range, scheme));
    if (noise < least) [best, least] = [range, noise];
  }
  return best;
}
