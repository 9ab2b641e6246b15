import { type Quant, scaleAt } from '../ir/type.js';

/**
 * How far, relatively, the scale of a stored bias may be from s_x * s_w to count as equal. It admits the roundings of
 * exporters (a float32 product of float32 scales is off by at most 2^-24) and nothing that would move a code.
 */
const BIAS_SCALE_TOLERANCE = 2 ** -22;

/**
 * Whether an int32 bias is stored in units of the sums, s_x * s_w[c] for every channel: then its codes are added to the
 * int32 sums. Otherwise its real value is used as a float bias.
 */
export function biasAddsToSums(bias: Quant | undefined, x: Quant, w: Quant, channels: number): boolean {
  if (bias?.dtype !== 'i32' || bias.zeroPoints.some((z) => z !== 0)) return false;
  for (let c = 0; c < channels; c++) {
    const unit = scaleAt(x, 0) * scaleAt(w, c);
    if (Math.abs(scaleAt(bias, c) - unit) > BIAS_SCALE_TOLERANCE * unit) return false;
  }
  return true;
}
