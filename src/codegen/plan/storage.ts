import type { Graph, Node, Value } from '../../ir/graph.js';
import type { OpTable } from '../../ir/op.js';
import { type DType, isCodes } from '../../ir/type.js';
import type { Isa, TensorStorage } from '../kernel.js';
import { fitsI8, productIsa } from '../select.js';

const PRODUCTS = new Set(['conv2d', 'depthwise_conv2d', 'mul', 'fc']);

/** How values without a grid are stored: int32 and int64 as 64-bit integers, all else as floats. */
export const plainStorage = (dtype: DType): 'f32' | 'i64' => (dtype === 'i32' || dtype === 'i64' ? 'i64' : 'f32');

/**
 * How every value is stored: values without a grid as `plainStorage` says, codes as i16, and as i8 where all of this holds:
 *
 * - the target has relaxed SIMD, since only its products read i8 without widening;
 * - the codes are proven to lie in 0..127, what those products need;
 * - a reader gains: a convolution or product of which they are the operand, directly or through ops that move codes.
 *
 * Other readers widen at the load, which costs less than a second copy would.
 */
export function chooseStorages(graph: Graph, ops: OpTable, target: Isa): ReadonlyMap<number, TensorStorage> {
  const storages = new Map<number, TensorStorage>();
  const consumers = graph.consumers();
  const gains = ({ node, slot }: { node: Node; slot: number }): boolean => {
    if (PRODUCTS.has(node.op)) return slot === 0 && usesRelaxed(graph, node, target);
    const out = node.outputs[0];
    return movesCodes(ops, node) && out !== undefined && storages.get(out) === 'i8';
  };
  const choose = (value: Value): TensorStorage => {
    if (!isCodes(value.type)) return plainStorage(value.type.dtype);
    const small = target === 'relaxed' && !value.data && fitsI8(value.range);
    return small && (consumers.get(value.id) ?? []).some(gains) ? 'i8' : 'i16';
  };
  // readers come after what they read, so that what they hand on is known
  for (const node of [...graph.nodes].reverse())
    for (const id of node.outputs) storages.set(id, choose(graph.value(id)));
  return storages;
}

function usesRelaxed(graph: Graph, node: Node, target: Isa): boolean {
  const [x, w] = [graph.input(node, 0), graph.input(node, 1)];
  return w.data !== undefined && productIsa(target, x.range, w.range) === 'relaxed';
}

const movesCodes = (ops: OpTable, node: Node): boolean =>
  ops.get(node.op)?.quant === 'same-params' || (node.op === 'pool2d' && node.attrs.poolType === 'max');
