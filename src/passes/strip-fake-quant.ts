import type { Graph, Node, Value } from '../ir/graph.js';
import type { Patch } from '../ir/patch.js';
import type { Tensor } from '../ir/tensor.js';
import { type Quant, sameQuant } from '../ir/type.js';
import { quantizeTensor } from '../quant/tensors.js';
import { linksOf } from './match.js';
import type { Pass } from './pass.js';

/**
 * Before:     x -> quantize -> dequantize -> readers; constant codes -> dequantize -> readers;
 *             float constant -> quantize -> dequantize -> readers
 * After:      x on the grid -> readers, where the pair was x's only use; else x -> fake_quantize -> readers, one per
 *             distinct grid; constants hold their exact codes, typed with the grid
 * Conditions: two quantizes of a value merge only if their grids are equal; codes that are outputs of the graph stay
 * Formula:    codes of a float constant: clamp(round(f32(x / s)) + z), the QuantizeLinear of the file itself
 */
export const stripFakeQuant: Pass = {
  name: 'strip-fake-quant',
  doc: 'quantize/dequantize pairs vanish into types; weights keep their exact codes',
  run(graph, patch) {
    stripConstants(graph, patch);
    for (const node of [...graph.nodes]) if (node.op === 'quantize') stripPair(graph, node, patch);
  },
};

function stripConstants(graph: Graph, patch: Patch): void {
  for (const node of [...graph.nodes]) {
    const source = graph.optionalInput(node, 0);
    if (!source?.data) continue;
    const codes =
      node.op === 'quantize'
        ? patch.addConstant(`${source.name}/codes`, quantizeTensor(source.data, graph.output(node).type.quant as Quant))
        : node.op === 'dequantize'
          ? source
          : movedCodes(node, source, source.data, patch);
    if (!codes) continue;
    patch.replaceValue(graph.output(node).id, codes.id, 'quant+dtype');
    patch.remove(node, { host: null, how: 'weights keep their codes' });
  }
}

/** A transpose of constant codes: the codes move, and the quantized axis with them. */
function movedCodes(node: Node, source: Value, data: Tensor, patch: Patch): Value | null {
  const quant = source.type.quant;
  if (node.op !== 'transpose2' || !quant) return null;
  const perm = node.attrs.perm as readonly number[];
  const axis = quant.axis === null ? null : perm.indexOf(quant.axis);
  const moved = transposed(data, perm);
  return patch.addConstant(`${source.name}/transposed`, {
    data: moved.data,
    type: { ...source.type, shape: moved.type.shape, quant: { ...quant, axis } },
  });
}

function transposed(t: Tensor, perm: readonly number[]): Tensor {
  const shape = perm.map((p) => t.type.shape[p] as number);
  const strides = perm.map((p) => t.type.shape.slice(p + 1).reduce((a, b) => a * b, 1));
  const data = t.data.slice();
  for (let i = 0; i < data.length; i++) {
    let rest = i;
    let from = 0;
    for (let d = shape.length - 1; d >= 0; d--) {
      from += (rest % (shape[d] as number)) * (strides[d] as number);
      rest = Math.floor(rest / (shape[d] as number));
    }
    data[i] = t.data[from] as never;
  }
  return { data, type: { ...t.type, shape } };
}

function stripPair(graph: Graph, quantize: Node, patch: Patch): void {
  const links = linksOf(graph);
  const x = graph.input(quantize, 0);
  const codes = graph.output(quantize);
  const readers = links.consumers.get(codes.id) ?? [];
  const pairs = readers.map((r) => r.node).filter((n) => n.op === 'dequantize');
  if (graph.isOutput(codes.id) || pairs.length !== readers.length || pairs.length === 0) return;
  const quant = codes.type.quant as Quant;
  const host = links.producers.get(x.id) ?? null;
  const rounded = gridValue(graph, quantize, x, quant, patch);
  for (const dequantize of pairs) {
    patch.replaceValue(graph.output(dequantize).id, rounded.id, 'quant');
    patch.remove(dequantize, { host, how: 'the grid of a value' });
  }
  if (quantize.op === 'quantize') patch.remove(quantize, { host, how: 'the grid of a value' });
}

/** The value that carries the rounding of `x`: x itself, an equal rounding made before, or a new fake_quantize. */
function gridValue(graph: Graph, quantize: Node, x: Value, quant: Quant, patch: Patch): Value {
  const { consumers } = linksOf(graph);
  if (x.type.quant && sameQuant(x.type.quant, quant)) return x;
  const readers = consumers.get(x.id) ?? [];
  if (readers.length === 1 && !graph.isOutput(x.id) && !x.type.quant) {
    patch.retype(x.id, { ...x.type, quant }, 'quant');
    return x;
  }
  const twin = readers
    .map((r) => r.node)
    .find((n) => n.op === 'fake_quantize' && sameQuant(graph.output(n).type.quant, quant));
  if (twin) return graph.output(twin);
  patch.rewrite(quantize, 'fake_quantize', { quant });
  patch.retype(graph.output(quantize).id, { dtype: 'f32', shape: x.type.shape, quant }, 'quant+dtype');
  return graph.output(quantize);
}
