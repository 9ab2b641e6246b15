import { MAX_UNROLLED_TAPS } from './depthwise-layout.js';

/** An interval of centred codes. */
export interface CodeInterval {
  readonly lo: number;
  readonly hi: number;
}

/** What a proof is about: steps of `tapsPerStep` consecutive taps on inputs within `input`. */
export interface RunsQuestion {
  readonly channels: number;
  readonly taps: number;
  readonly tapsPerStep: number;
  readonly input: CodeInterval;
  /** Centred weights. */
  weight(channel: number, tap: number): number;
}

/** How steps are cut into runs that are added in int16. */
export interface TapRuns {
  /** Steps of each run. */
  readonly lengths: readonly number[];
  /** Where the sum of each run starts, per channel: at 0, or where it stays within int16. */
  readonly starts: readonly Int16Array[];
}

/** Where a sum between `least` and `most` must start to stay within int16, next to 0; null where it cannot. */
function startOf(least: number, most: number): number | null {
  if (most - least > 65535) return null;
  return least < -32768 ? -32768 - least : most > 32767 ? 32767 - most : 0;
}

/**
 * Runs whose sums fit int16 in every channel, as long as possible from the first step on; null where even one step may not
 * fit. With P the sum of the positive weights of a run, N that of the magnitudes of the negative ones and inputs in
 * lo <= 0 <= hi (padding is 0), the sum lies between lo * P - hi * N and hi * P - lo * N. With `shifts` a sum may start beside
 * 0: then these bounds may be 65535 apart, wherever they lie.
 */
export function provenRuns(q: RunsQuestion, shifts = false): TapRuns | null {
  if (q.taps > MAX_UNROLLED_TAPS) return null;
  const [lo, hi] = [Math.min(0, q.input.lo), Math.max(0, q.input.hi)];
  const steps = Math.ceil(q.taps / q.tapsPerStep);
  const startsOf = (first: number, count: number): Int16Array | null => {
    const end = Math.min(q.taps, (first + count) * q.tapsPerStep);
    const starts = new Int16Array(q.channels);
    for (let channel = 0; channel < q.channels; channel++) {
      let [positive, negative] = [0, 0];
      for (let tap = first * q.tapsPerStep; tap < end; tap++) {
        const w = q.weight(channel, tap);
        if (w > 0) positive += w;
        else negative -= w;
      }
      const start = startOf(lo * positive - hi * negative, hi * positive - lo * negative);
      if (start === null || (start !== 0 && !shifts)) return null;
      starts[channel] = start;
    }
    return starts;
  };
  const [lengths, starts]: [number[], Int16Array[]] = [[], []];
  for (let first = 0; first < steps; ) {
    let count = 1;
    let known = startsOf(first, count);
    if (!known) return null;
    while (first + count < steps) {
      const longer = startsOf(first, count + 1);
      if (!longer) break;
      known = longer;
      count++;
    }
    lengths.push(count);
    starts.push(known);
    first += count;
  }
  return { lengths, starts };
}
