import type { Graph, Node } from '../ir/graph.js';
import { toReal } from '../quant/tensors.js';

/** y = x * k + shift per channel, in float64. */
export interface Normalization {
  readonly k: Float64Array;
  readonly shift: Float64Array;
}

/**
 * What a batch_norm (k = gamma / sqrt(var + eps), shift = beta - mean * k) or affine_channel with constant parameters
 * computes; null for other nodes.
 */
export function normalizationOf(graph: Graph, node: Node): Normalization | null {
  const parameters = node.inputs.slice(1).map((_, i) => graph.input(node, i + 1).data);
  const lists = parameters.flatMap((t) => (t ? [new Float64Array(toReal(t).data as Float32Array)] : []));
  if (lists.length < parameters.length) return null;
  const at = (list: number, c: number): number => (lists[list] as Float64Array)[c] as number;
  const of = (f: (c: number) => number): Float64Array => Float64Array.from(lists[0] as Float64Array, (_, c) => f(c));
  if (node.op === 'affine_channel') return { k: of((c) => at(0, c)), shift: of((c) => at(1, c)) };
  if (node.op !== 'batch_norm') return null;
  const k = of((c) => at(0, c) / Math.sqrt(at(3, c) + Number(node.attrs.epsilon)));
  return { k, shift: of((c) => at(1, c) - at(2, c) * (k[c] as number)) };
}
