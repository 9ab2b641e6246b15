import { allocate, rowMajorStrides, type Tensor } from '../ir/tensor.js';
import { codesType, isCodes, type Quant, realType, type TensorType } from '../ir/type.js';
import { dequantizeCode, quantizeCode } from './rounding.js';

/** For each element of a shape, the index of its slice along the quantized axis (0 for per-tensor grids). */
function sliceIndex(shape: readonly number[], q: Quant): (element: number) => number {
  if (q.axis === null) return () => 0;
  const step = rowMajorStrides(shape)[q.axis] as number;
  const extent = shape[q.axis] as number;
  return (element) => Math.floor(element / step) % extent;
}

/** The codes of a real tensor on a grid. */
export function quantizeTensor(t: Tensor, q: Quant): Tensor {
  const type = codesType({ dtype: 'f32', shape: t.type.shape, quant: q });
  const slice = sliceIndex(t.type.shape, q);
  const data = allocate(q.dtype, t.data.length);
  for (let i = 0; i < data.length; i++) data[i] = quantizeCode(Number(t.data[i]), q, slice(i));
  return { type, data };
}

/** The real numbers behind codes; a tensor without codes is returned as it is. */
export function toReal(t: Tensor): Tensor {
  const q = t.type.quant;
  if (q === undefined || !isCodes(t.type)) return t;
  const slice = sliceIndex(t.type.shape, q);
  const data = new Float32Array(t.data.length);
  for (let i = 0; i < data.length; i++) data[i] = dequantizeCode(Number(t.data[i]), q, slice(i));
  return { type: realType(t.type), data };
}

/** Turns a tensor of reals into what a type says: codes, reals rounded to the grid, or as it is. */
export function conform(t: Tensor, type: TensorType): Tensor {
  if (type.quant === undefined || isCodes(t.type)) return { type, data: t.data };
  const codes = quantizeTensor(t, type.quant);
  return isCodes(type) ? codes : { type, data: toReal(codes).data };
}
