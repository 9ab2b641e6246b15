import { rowMajorStrides, type Tensor } from '../ir/tensor.js';
import { isCodes, type Quant, type TensorType, zeroPointAt } from '../ir/type.js';

/** Centred codes (code - zeroPoint) of a code tensor, exact in float64. */
export function centredCodes(t: Tensor): Float64Array {
  const q = t.type.quant as Quant;
  const out = new Float64Array(t.data as Int8Array);
  if (q.axis === null) {
    const zero = zeroPointAt(q, 0);
    if (zero !== 0) for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) - zero;
    return out;
  }
  if (q.zeroPoints.every((zero) => zero === 0)) return out;
  const step = rowMajorStrides(t.type.shape)[q.axis] as number;
  const extent = t.type.shape[q.axis] as number;
  for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) - zeroPointAt(q, Math.floor(i / step) % extent);
  return out;
}

/** The largest |code - zeroPoint| of a per-tensor grid. */
export function codeReach({ quant }: TensorType): number {
  const q = quant as Quant;
  return Math.max(zeroPointAt(q, 0) - q.min, q.max - zeroPointAt(q, 0));
}

/** Whether a type holds codes of one grid for the whole tensor. */
export const isPerTensorCodes = (type: TensorType): boolean => isCodes(type) && type.quant?.axis === null;

/** Centred codes, or the real numbers of a tensor without codes. */
export const operand = (t: Tensor): Float64Array =>
  isCodes(t.type) ? centredCodes(t) : new Float64Array(t.data as Float32Array);

/** The factor from what `operand` gives to real numbers: the scale of per-tensor codes, 1 for reals. */
export const operandScale = (type: TensorType): number => (isCodes(type) ? (type.quant?.scales[0] as number) : 1);
