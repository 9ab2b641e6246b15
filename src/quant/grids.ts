import { perTensor, type Quant } from '../ir/type.js';
import type { Bins } from './histogram.js';
import type { Range, Scheme } from './thresholds.js';

/** The scale of a value that is 0 everywhere: any number does. */
const EMPTY_SCALE = 2 ** -7;

/** The grid over a range: s8 symmetric around 0, s = max|x| / 127; u8 with the zero point that makes 0 a code. */
export function gridOver({ lo, hi }: Range, scheme: Scheme): Quant {
  const scale = Math.fround(scheme === 's8' ? Math.max(-lo, hi) / 127 : (hi - lo) / 255);
  if (!(scale > 0)) return perTensor(scheme === 's8' ? 'i8' : 'u8', EMPTY_SCALE);
  if (scheme === 's8') return perTensor('i8', scale);
  return perTensor('u8', scale, Math.min(Math.max(Math.round(-lo / scale), 0), 255));
}

/** The real numbers that the codes of a per-tensor grid stand for, from the least to the greatest. */
export function rangeOfGrid({ scales, zeroPoints, min, max }: Quant): Range {
  const [scale, zero] = [scales[0] as number, zeroPoints[0] as number];
  return { lo: (min - zero) * scale, hi: (max - zero) * scale };
}

/** What rounding to a grid does to the elements of a histogram. */
export interface GridError {
  /** Mean square of the rounding errors. */
  readonly noise: number;
  /** Mean square of the elements. */
  readonly signal: number;
  /** Share of the elements beyond the outermost codes, by more than half a step. */
  readonly clipped: number;
}

/** The error of a per-tensor grid over elements. */
export function gridError({ values, counts }: Bins, { scales, zeroPoints, min, max }: Quant): GridError {
  const [scale, zero] = [scales[0] as number, zeroPoints[0] as number];
  const [least, most] = [min - zero, max - zero];
  let [noise, signal, clipped, total] = [0, 0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const v = values[i] as number;
    const n = counts[i] as number;
    const nearest = Math.round(v / scale);
    if (nearest < least || nearest > most) clipped += n;
    const code = Math.min(Math.max(nearest, least), most);
    noise += n * (v - code * scale) ** 2;
    signal += n * v * v;
    total += n;
  }
  const mean = (sum: number): number => (total === 0 ? 0 : sum / total);
  return { noise: mean(noise), signal: mean(signal), clipped: mean(clipped) };
}

/** Signal to quantization noise in decibels; infinite where there is no noise. */
export const sqnr = ({ noise, signal }: GridError): number => 10 * Math.log10(signal / noise);
