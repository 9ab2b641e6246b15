import { type Quant, scaleAt, zeroPointAt } from '../ir/type.js';
import { scaledSum, scaleFactor } from './requantize.js';
import { rounder } from './rounding.js';

/**
 * Sums whose exact value is this close to a tie, in output quanta, count as ties: half the distance of float32 numbers
 * from 128 to 255, so that float32 cannot tell them apart.
 */
export const TIE_WIDTH = 2 ** -17;

/** The same where a float bias is added: only ties themselves, up to the rounding of float64. */
const EXACT_TIE = 2 ** -30;

/** Sums further than this (and the offset) from a tie round alike with every candidate: MAX_STEPS ulps of the largest code. */
const DOUBT = 2e-4;

/** How many float32 neighbours of the nearest factor are tried, on each side. */
const MAX_STEPS = 4;

/** How far the addend is moved, in quanta, and in how many steps, on each side. */
const ADDEND_STEP = 2 ** -20;
const ADDEND_STEPS = 8;

/** What int32 sums are multiplied by, and what is added to the product: t = f32(f32(f32(sum) * scale) + bias). */
export interface SumScaling {
  readonly scale: number;
  /** 0 where nothing is added. */
  readonly bias: number;
}

/** The float32 number `steps` ulps away from another, upwards in magnitude. */
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

/**
 * All sums so near to a boundary between two centred codes that the rounding of factor and addend decides about them.
 * A sum means sum * unit + offset in real units.
 */
function doubtfulSums(
  unit: number,
  q: Quant,
  offset: number,
  doubt: (code: number) => number,
  tieWidth: number,
): Doubtful[] {
  const [zero, scale] = [zeroPointAt(q, 0), scaleAt(q, 0)];
  const round = rounder(q.rounding);
  const found: Doubtful[] = [];
  for (let code = q.min - zero; code < q.max - zero; code++) {
    const below = Math.floor(((code + 0.5) * scale - offset) / unit);
    for (const sum of [below, below + 1]) {
      const distance = (sum * unit + offset - (code + 0.5) * scale) / scale;
      if (Math.abs(distance) > doubt(code)) continue;
      const tie = Math.abs(distance) <= tieWidth;
      found.push({ sum, tie, code: tie ? round(code + 0.5) : distance > 0 ? code + 1 : code });
    }
  }
  return found;
}

/** The candidate with the fewest wrong decisions, ties weighing least; the first of equal ones. */
function best(candidates: Iterable<SumScaling>, doubtful: readonly Doubtful[], q: Quant, added: boolean): SumScaling {
  const round = rounder(q.rounding);
  const misses = ({ scale, bias }: SumScaling): number =>
    doubtful.reduce((n, { sum, code, tie }) => {
      const t = scaledSum(sum, scale, added ? { bias } : {});
      return n + (round(t) === code ? 0 : tie ? 1 : 1000);
    }, 0);
  let [found, fewest] = [{ scale: 0, bias: 0 }, Number.POSITIVE_INFINITY];
  for (const candidate of candidates) {
    const n = misses(candidate);
    if (n < fewest) [found, fewest] = [candidate, n];
    if (n === 0) break;
  }
  return found;
}

/** Factors around a number, the nearest first. */
function* factorsAround(nearest: number): Generator<number> {
  yield nearest;
  for (let step = 1; step <= MAX_STEPS; step++) for (const s of [step, -step]) yield neighbour(nearest, s);
}

/** Factors and addends around a pair, the nearest first. */
function* pairsAround({ scale, bias }: SumScaling): Generator<SumScaling> {
  const step = Math.max(ADDEND_STEP, Math.abs(bias) * 2 ** -23);
  for (let away = 0; away <= ADDEND_STEPS; away++)
    for (const move of away === 0 ? [0] : [away, -away])
      for (const factor of factorsAround(scale)) yield { scale: factor, bias: Math.fround(bias + move * step) };
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
  const nearest = scaleFactor(inputScale, weightScale, scaleAt(output, 0));
  if (nearest <= 1e-30) return nearest;
  const doubt = DOUBT + Math.abs(offset) / scaleAt(output, 0);
  const doubtful = doubtfulSums(inputScale * weightScale, output, offset, () => doubt, TIE_WIDTH);
  const candidates = Array.from(factorsAround(nearest), (scale) => ({ scale, bias: 0 }));
  return best(candidates, doubtful, output, false).scale;
}

/**
 * The same with a float bias in real units: factor and addend, each near its exact value, for which
 * round(f32(f32(f32(sum) * m) + b)) is what exact arithmetic gives for every sum next to a boundary. A float bias moves
 * sums off the ties that grids share, so what lies beside a tie is no tie.
 */
export function requantizeAffine(inputScale: number, weightScale: number, output: Quant, bias: number): SumScaling {
  const unit = scaleAt(output, 0);
  const nearest = { scale: scaleFactor(inputScale, weightScale, unit), bias: Math.fround(bias / unit) };
  if (nearest.scale <= 1e-30 || !Number.isFinite(nearest.bias)) return nearest;
  // Candidates differ from exact arithmetic by at most 4 ulps of the product and 8 steps of the addend.
  const reach = Math.abs(nearest.bias);
  const doubt = (code: number): number => TIE_WIDTH + (Math.abs(code) + 2 * reach + 16) * 2 ** -20;
  const doubtful = doubtfulSums(inputScale * weightScale, output, bias, doubt, EXACT_TIE);
  return best(pairsAround(nearest), doubtful, output, true);
}

/** What follows a sum before its rounding. */
export interface SumTarget {
  /** The output grid where the sum goes to quanta at once; null where it goes to real units. */
  readonly output: Quant | null;
  /** A residual is added before the rounding: it moves the boundaries. */
  readonly residual: boolean;
  /** A float bias in real units, or an int32 bias that is part of the sum: its code and stored scale. */
  readonly bias?: number | { readonly code: number; readonly scale: number } | undefined;
}

/** The scaling of int32 sums: the nearest float32 numbers where there is no output grid, or a residual. */
export function sumScaling(
  inputScale: number,
  weightScale: number,
  { output, residual, bias = { code: 0, scale: 0 } }: SumTarget,
): SumScaling {
  const unit = output ? scaleAt(output, 0) : 1;
  if (!output || residual) {
    const addend = typeof bias === 'number' ? Math.fround(bias / unit) : 0;
    return { scale: scaleFactor(inputScale, weightScale, unit), bias: addend };
  }
  if (typeof bias === 'number') return requantizeAffine(inputScale, weightScale, output, bias);
  const offset = bias.code * (bias.scale - inputScale * weightScale);
  return { scale: requantizeScale(inputScale, weightScale, output, offset), bias: 0 };
}
