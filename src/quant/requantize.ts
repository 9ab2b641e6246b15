import type { Rounding } from '../ir/type.js';
import { clamp, rounder } from './rounding.js';

const f32 = Math.fround;

/** A quotient of scales as a factor: f32(a * b / unit), computed in float64 and rounded once. */
export const scaleFactor = (a: number, b: number, unit = 1): number => f32((a * b) / unit);

/** What is added to a scaled sum before it is rounded, in output quanta. */
export interface Addends {
  /** A float bias: f32(b / s_y). */
  readonly bias?: number;
  /** A residual operand: its centred code (code - zeroPoint) or its real value, and the factor to output quanta. */
  readonly residual?: { readonly value: number; readonly scale: number };
}

/**
 * A scaled sum before rounding, in float32 steps: f32(f32(acc) * scale), + bias, + f32(residual * its scale).
 * With `scale` = f32(s_x * s_w) and addends in real units it is the real value of the sum.
 */
export function scaledSum(acc: number, scale: number, addends: Addends = {}): number {
  let t = f32(f32(acc) * scale);
  if (addends.bias !== undefined) t = f32(t + addends.bias);
  if (addends.residual) t = f32(t + f32(f32(addends.residual.value) * addends.residual.scale));
  return t;
}

/**
 * THE rounding of the numeric contract: a value in output quanta to a centred code (code - zeroPoint).
 * `lo` and `hi` are the centred bounds of the output type and the fused activation.
 */
export const roundToCode = (t: number, rounding: Rounding, lo: number, hi: number): number =>
  clamp(rounder(rounding)(t), lo, hi);

/** Requantizes an int32 sum to a centred code: `scaledSum`, then `roundToCode`. */
export function requantize(
  acc: number,
  scale: number,
  rounding: Rounding,
  lo: number,
  hi: number,
  addends?: Addends,
): number {
  return roundToCode(scaledSum(acc, scale, addends), rounding, lo, hi);
}
