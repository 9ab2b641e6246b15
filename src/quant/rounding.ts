import type { Quant, Rounding } from '../ir/type.js';
import { quantaOf, scaleAt, zeroPointAt } from '../ir/type.js';

const MAGIC = 12582912; // 1.5 * 2^23: adding it to a float32 below 2^22 leaves the integer in the low mantissa bits

/** Rounds to the nearest integer, ties to even. Exact for every float32. */
export function roundEven(x: number): number {
  if (Math.abs(x) < 4194304) return Math.fround(Math.fround(x + MAGIC) - MAGIC);
  return Math.abs(x) >= 8388608 ? x : 2 * Math.round(x / 2) === x ? x : evenOf(x);
}

function evenOf(x: number): number {
  const down = Math.floor(x);
  const diff = x - down;
  if (diff !== 0.5) return diff < 0.5 ? down : down + 1;
  return down % 2 === 0 ? down : down + 1;
}

/** Rounds to the nearest integer, ties away from zero. Exact for every float32. */
function roundAway(x: number): number {
  const r = roundEven(x);
  const d = x - r;
  if (d === 0.5 && x > 0) return r + 1;
  if (d === -0.5 && x < 0) return r - 1;
  return r;
}

/** The rounding function of a mode. */
export const rounder = (mode: Rounding): ((x: number) => number) => (mode === 'even' ? roundEven : roundAway);

/** `x` limited to [lo, hi]; NaN becomes lo. */
export const clamp = (x: number, lo: number, hi: number): number => (x > lo ? (x < hi ? x : hi) : lo);

/**
 * A real number in quanta of a grid, before rounding: f32(x / scale), or f32(x * reciprocal).
 * `slice` is the index along the quantized axis. Sources: ONNX QuantizeLinear; Paddle fake_quantize_op.h.
 */
export function inQuanta(x: number, q: Quant, slice = 0): number {
  const { how, factor } = quantaOf(q, slice);
  return how === 'div' ? Math.fround(Math.fround(x) / factor) : Math.fround(Math.fround(x) * factor);
}

/** The code of a real number: clamp(round(x in quanta) + zeroPoint). */
export function quantizeCode(x: number, q: Quant, slice = 0): number {
  return clamp(rounder(q.rounding)(inQuanta(x, q, slice)) + zeroPointAt(q, slice), q.min, q.max);
}

/** The real number of a code: f32(f32(code - zeroPoint) * scale). Source: ONNX DequantizeLinear. */
export function dequantizeCode(code: number, q: Quant, slice = 0): number {
  return Math.fround(Math.fround(code - zeroPointAt(q, slice)) * Math.fround(scaleAt(q, slice)));
}
