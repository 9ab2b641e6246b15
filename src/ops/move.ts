import { allocate, type Tensor } from '../ir/tensor.js';

/** The elements of a tensor at the given positions, as a tensor of a new shape: how all ops that move data compute. */
export function gatherElements(t: Tensor, indices: Int32Array, shape: readonly number[]): Tensor {
  const { dtype, quant } = t.type;
  const data = allocate(dtype, indices.length);
  const source = t.data;
  for (let i = 0; i < indices.length; i++) data[i] = source[indices[i] as number] as never;
  return { type: quant ? { dtype, shape, quant } : { dtype, shape }, data };
}

/** The same elements under a new shape of equal size. */
export const reshapeTensor = (t: Tensor, shape: readonly number[]): Tensor => ({
  type: { ...t.type, shape },
  data: t.data,
});
