import type { Attrs, Value } from '../ir/graph.js';
import { allocate, type Tensor, tensor } from '../ir/tensor.js';
import { sizeOf, type TensorType } from '../ir/type.js';
import type { Op } from '../ops/op.js';
import { internalError, modelError } from '../support/errors.js';
import { isPossibleShape } from './shapes.js';

/** Results of more elements than this are not computed at import. */
const MAX_FOLDED = 2 ** 26;

/** What the elements of a result and the products behind them cost, roughly in nanoseconds. */
const COST = { moved: 4, computed: 32, product: 2 } as const;

/** What may be computed at import in all: a file of a few bytes must not keep it busy for minutes. */
export class FoldBudget {
  private left = 2 ** 29;

  /** Throws a model error where the results of an op do not fit any more. */
  take(op: Op, attrs: Attrs, inputs: readonly (Value | null)[], types: readonly TensorType[]): void {
    const elements = types.reduce((n, { shape }) => n + sizeOf(shape), 0);
    const read = inputs.reduce((n, v) => n + (v ? sizeOf(v.type.shape) : 0), 0);
    const operands = inputs.map((v) => v?.type ?? null);
    const products = types[0] && op.macs ? op.macs(attrs, operands, types[0]) : 0;
    const moves = op.quant === 'same-params';
    this.left -= COST.product * products + (moves ? COST.moved * elements : COST.computed * Math.max(elements, read));
    if (this.left < 0)
      throw modelError('the model computes too much from constants', { remedy: 'Export it with constant folding.' });
  }
}

/** Throws a model error for a result that no module could hold. */
export function checkTypes(types: readonly TensorType[]): void {
  for (const { shape } of types)
    if (!isPossibleShape(shape)) throw modelError(`its result would have the impossible shape [${shape}]`);
}

/** Ops of reals that have other operands too: conditions, integers to convert. */
const MIXED = new Set(['cast', 'scatter', 'where']);

/** Whether an op that computes on reals is given plain integers; indices and the like go to ops that move data. */
export function takesIntegers(
  op: Op,
  inputs: readonly (Value | null)[],
  types: readonly TensorType[],
): Value | undefined {
  if (op.quant === 'same-params' || op.quant === 'boundary' || MIXED.has(op.name)) return undefined;
  if (types[0]?.dtype !== 'f32') return undefined;
  return inputs.find((v) => v !== null && v.type.dtype !== 'f32' && v.type.quant === undefined) ?? undefined;
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
  budget: FoldBudget,
): Tensor[] | undefined {
  const plain = inputs.every((v) => v === null || (v.data !== undefined && v.type.quant === undefined));
  if (!plain || op.quant === 'boundary' || types.some((t) => t.quant !== undefined)) return undefined;
  if (types.some((t) => !isPossibleShape(t.shape, MAX_FOLDED)))
    throw modelError(`its result would be a constant of shape [${types[0]?.shape}]`);
  budget.take(op, attrs, inputs, types);
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
