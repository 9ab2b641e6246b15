import { type Quant, scaleAt, zeroPointAt } from '../ir/type.js';
import { scaledSum, scaleFactor } from './requantize.js';
import { rounder } from './rounding.js';

/**
 * Sums whose exact value is this close to a tie, in output quanta, count as ties: half the distance of float32 numbers
 * from 128 to 255, so that float32 cannot tell them apart.
 */
export const TIE_WIDTH = 2 ** -17;

/** Sums further than this (and the offset) from a tie round alike with every candidate: MAX_STEPS ulps of the largest code. */
const DOUBT = 2e-4;

/** How many float32 neighbours of the nearest factor are tried, on each side. */
const MAX_STEPS = 4;

/** The float32 number `steps` ulps away from a positive one. */
function neighbour(x: number, steps: number): number {
  const bits = new Int32Array(Float32Array.of(x).buffer);
  bits[0] = (bits[0] as number) + steps;
  return new Float32Array(bits.buffer)[0] as number;
}

/** A sum near the boundary between two codes, the code that it should get, and whether it counts as a tie. */
interface Doubtful {
  readonly sum: number;
  readonly code: number;
  readonly tie: boolean;
}

/** All sums so near to a boundary between two centred codes that the rounding of the factor decides about them. */
function doubtfulSums(unit: number, q: Quant, offset: number): Doubtful[] {
  const [zero, scale] = [zeroPointAt(q, 0), scaleAt(q, 0)];
  const round = rounder(q.rounding);
  const doubt = DOUBT + Math.abs(offset) / scale;
  const found: Doubtful[] = [];
  for (let code = q.min - zero; code < q.max - zero; code++) {
    const below = Math.floor(((code + 0.5) * scale - offset) / unit);
    for (const sum of [below, below + 1]) {
      const distance = (sum * unit + offset - (code + 0.5) * scale) / scale;
      if (Math.abs(distance) > doubt) continue;
      const tie = Math.abs(distance) <= TIE_WIDTH;
      found.push({ sum, tie, code: tie ? round(code + 0.5) : distance > 0 ? code + 1 : code });
    }
  }
  return found;
}

/**
 * The factor m from int32 sums to quanta of a per-tensor output grid: a float32 number within a few ulps of
 * s_x * s_w / s_y for which round(f32(f32(sum) * m)) is what exact arithmetic gives for every sum, where sums within
 * TIE_WIDTH quanta of a tie count as ties. The rounding is monotonic, so it is enough to look at the sums next to each
 * boundary between codes. Where no candidate decides all of them, the one with the fewest misses is taken, then the
 * nearest. `offset` is what a sum means beyond sum * s_x * s_w, in real units: the part of an int32 bias that its stored
 * scale has over s_x * s_w.
 */
export function requantizeScale(inputScale: number, weightScale: number, output: Quant, offset = 0): number {
  const unit = inputScale * weightScale;
  const nearest = scaleFactor(inputScale, weightScale, scaleAt(output, 0));
  const doubtful = nearest > 1e-30 ? doubtfulSums(unit, output, offset) : [];
  const round = rounder(output.rounding);
  const misses = (m: number): number =>
    doubtful.reduce((n, { sum, code, tie }) => n + (round(scaledSum(sum, m)) === code ? 0 : tie ? 1 : 1000), 0);
  let [best, fewest] = [nearest, misses(nearest)];
  for (let step = 1; step <= MAX_STEPS && fewest > 0; step++)
    for (const candidate of [neighbour(nearest, step), neighbour(nearest, -step)]) {
      const n = misses(candidate);
      if (n < fewest) [best, fewest] = [candidate, n];
    }
  return best;
}

/** What follows a sum before its rounding. */
export interface SumTarget {
  /** The output grid where the sum goes to quanta at once; null where it goes to real units. */
  readonly output: Quant | null;
  /** Something is added before the rounding (a float bias, a residual): it moves the boundaries. */
  readonly addends: boolean;
  /** An int32 bias that is part of the sum: its code and stored scale. */
  readonly bias?: { readonly code: number; readonly scale: number } | undefined;
}

/** The factor of int32 sums: the nearest float32 where something is added before the rounding. */
export function sumFactor(inputScale: number, weightScale: number, { output, addends, bias }: SumTarget): number {
  if (!output || addends) return scaleFactor(inputScale, weightScale, output ? scaleAt(output, 0) : 1);
  const offset = bias ? bias.code * (bias.scale - inputScale * weightScale) : 0;
  return requantizeScale(inputScale, weightScale, output, offset);
}
