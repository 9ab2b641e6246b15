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

/**
 * Lengths, in steps, of runs whose sums fit int16 in every channel, as long as possible from the first step on; null
 * where even one step may not fit. With P the sum of the positive weights of a run, N that of the magnitudes of the
 * negative ones and inputs in lo <= 0 <= hi (padding is 0), the sum lies between lo * P - hi * N and hi * P - lo * N.
 */
export function provenRuns(q: RunsQuestion): number[] | null {
  if (q.taps > MAX_UNROLLED_TAPS) return null;
  const [lo, hi] = [Math.min(0, q.input.lo), Math.max(0, q.input.hi)];
  const steps = Math.ceil(q.taps / q.tapsPerStep);
  const fits = (first: number, count: number): boolean => {
    const end = Math.min(q.taps, (first + count) * q.tapsPerStep);
    for (let channel = 0; channel < q.channels; channel++) {
      let [positive, negative] = [0, 0];
      for (let tap = first * q.tapsPerStep; tap < end; tap++) {
        const w = q.weight(channel, tap);
        if (w > 0) positive += w;
        else negative -= w;
      }
      if (hi * positive - lo * negative > 32767 || lo * positive - hi * negative < -32768) return false;
    }
    return true;
  };
  const runs: number[] = [];
  for (let first = 0; first < steps; ) {
    if (!fits(first, 1)) return null;
    let count = 1;
    while (first + count < steps && fits(first, count + 1)) count++;
    runs.push(count);
    first += count;
  }
  return runs;
}
