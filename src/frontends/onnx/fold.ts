import type { Attrs, Value } from '../../ir/graph.js';
import { allocate, type Tensor, tensor } from '../../ir/tensor.js';
import { sizeOf, type TensorType } from '../../ir/type.js';
import type { Op } from '../../ops/op.js';
import { internalError, modelError } from '../../support/errors.js';
import { MAX_ELEMENTS } from './tensors.js';

/** Results of more elements than this are not computed at import. */
const MAX_FOLDED = 2 ** 26;

/** Throws a model error for a result that no module could hold. */
export function checkTypes(types: readonly TensorType[]): void {
  for (const { shape } of types)
    if (!shape.every((d) => Number.isSafeInteger(d) && d >= 0) || sizeOf(shape) > MAX_ELEMENTS)
      throw modelError(`its result would have the impossible shape [${shape}]`);
}

/**
 * The results of a node all of whose operands are plain constants, or undefined where it must stay: folding never goes
 * through a grid, since rounding to it is what the model is about.
 */
export function foldNode(
  op: Op,
  attrs: Attrs,
  inputs: readonly (Value | null)[],
  types: readonly TensorType[],
): Tensor[] | undefined {
  const plain = inputs.every((v) => v === null || (v.data !== undefined && v.type.quant === undefined));
  if (!plain || op.quant === 'boundary' || types.some((t) => t.quant !== undefined)) return undefined;
  if (types.some((t) => sizeOf(t.shape) > MAX_FOLDED))
    throw modelError(`its result would be a constant of shape [${types[0]?.shape}]`);
  const results = op.reference(
    attrs,
    inputs.map((v) => v?.data ?? null),
  );
  return types.map((type, i) => {
    const data = results[i]?.data;
    if (data?.constructor !== allocate(type.dtype, 0).constructor)
      throw internalError(`the reference of ${op.name} does not give ${type.dtype}`);
    return tensor(type, data);
  });
}
