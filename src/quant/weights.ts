import { type Tensor, tensor } from '../ir/tensor.js';
import { perAxis, perTensor, type Quant, scaleAt, sizeOf } from '../ir/type.js';
import { quantizeTensor } from './tensors.js';

/** The scale of a slice whose weights are all 0: any number does. */
const EMPTY_SCALE = 2 ** -7;

/** The greatest magnitude of every slice of reals along an axis. */
export function sliceMaxima({ type: { shape }, data }: Tensor, axis: number): Float64Array {
  const channels = shape[axis] as number;
  const inner = sizeOf(shape.slice(axis + 1));
  const maxima = new Float64Array(channels);
  for (let i = 0; i < data.length; i++) {
    const c = Math.floor(i / inner) % channels;
    const v = Math.abs(data[i] as number);
    if (v > (maxima[c] as number)) maxima[c] = v;
  }
  return maxima;
}

const scaleOf = (max: number): number => {
  const scale = Math.fround(max / 127);
  return scale > 0 ? scale : EMPTY_SCALE;
};

/** The symmetric int8 grid of weights, s = max|w| / 127, per slice along an axis or (null) per tensor. */
export function weightGrid(w: Tensor, axis: number, perChannel: boolean): Quant {
  const maxima = sliceMaxima(w, axis);
  if (!perChannel) return perTensor('i8', scaleOf(maxima.reduce((a, b) => Math.max(a, b), 0)));
  return perAxis('i8', axis, Array.from(maxima, scaleOf));
}

/** The most that a bias may weigh in an int32 sum. */
const MAX_BIAS = 2 ** 30;

/**
 * A bias as int32 in units of the sums, s_x * s_w[c]. Null where a code would pass 2^30: the bias then stays float.
 */
export function quantizeBias(bias: Tensor, x: Quant, w: Quant): Tensor | null {
  const channels = bias.data.length;
  const scales = Array.from({ length: w.axis === null ? 1 : channels }, (_, c) =>
    Math.fround(scaleAt(x, 0) * scaleAt(w, c)),
  );
  const quant = w.axis === null ? perTensor('i32', scales[0] as number) : perAxis('i32', 0, scales);
  const at = (c: number): number => scales[w.axis === null ? 0 : c] as number;
  if (!scales.every((s) => s > 0 && Number.isFinite(s))) return null;
  for (let c = 0; c < channels; c++) if (!(Math.abs(Number(bias.data[c]) / at(c)) < MAX_BIAS)) return null;
  return quantizeTensor(tensor({ dtype: 'f32', shape: [channels] }, bias.data), quant);
}

/** The grid of a constant operand: symmetric, or with a zero point where no element is negative. */
export function constantGrid({ data }: Tensor): Quant {
  let [lo, hi] = [0, 0];
  for (const v of data as Float32Array) {
    if (v < lo) lo = v;
    if (v > hi) hi = v;
  }
  const scale = lo < 0 ? scaleOf(Math.max(-lo, hi)) : Math.fround(hi / 255) || EMPTY_SCALE;
  return perTensor(lo < 0 ? 'i8' : 'u8', scale);
}
