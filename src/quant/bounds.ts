import type { Quant } from '../ir/type.js';
import { zeroPointAt } from '../ir/type.js';
import { type Activation, clampBounds } from './activation.js';
import { clamp, inQuanta, rounder } from './rounding.js';

/**
 * The bounds of centred codes (code - zeroPoint) on a grid under an activation.
 *
 * A clamping activation to [a, b] narrows the grid's own range to [round(a in quanta), round(b in quanta)]: rounding is
 * monotonic, so clamping codes equals clamping reals first. Other activations do not narrow.
 */
export function codeBounds(q: Quant, activation: Activation | null = null, slice = 0): readonly [number, number] {
  const zero = zeroPointAt(q, slice);
  const [lo, hi] = [q.min - zero, q.max - zero];
  const reals = activation && clampBounds(activation);
  if (!reals) return [lo, hi];
  const code = (x: number): number =>
    Number.isFinite(x) ? clamp(rounder(q.rounding)(inQuanta(x, q, slice)), lo, hi) : x;
  return [Math.max(lo, code(reals[0])), Math.min(hi, code(reals[1]))];
}
