import type { Graph, Node, Value } from '../ir/graph.js';
import type { OpTable } from '../ir/op.js';
import type { Patch } from '../ir/patch.js';
import type { Tensor } from '../ir/tensor.js';
import { type Quant, sameQuant, sizeOf } from '../ir/type.js';
import { quantizeTensor, toReal } from '../quant/tensors.js';
import { sourceOf } from './collect-scales.js';
import { forget, type Links, linksOf, moveReaders, readersOf } from './match.js';
import type { Pass } from './pass.js';

/**
 * Before:     x -> quantize -> dequantize -> readers; constant codes -> dequantize -> readers;
 *             float constant -> quantize -> dequantize -> readers
 * After:      x on the grid -> readers, where pairs of that grid are x's only use; else x -> fake_quantize -> readers, one per
 *             distinct grid; constants hold their exact codes, typed with the grid
 * Conditions: two quantizes of a value merge only if their grids are equal; codes that are outputs of the graph stay;
 *             constant codes take a transpose or a new shape behind them along
 * Formula:    codes of a float constant: clamp(round(f32(x / s)) + z), the QuantizeLinear of the file itself
 */
export const stripFakeQuant: Pass = {
  name: 'strip-fake-quant',
  doc: 'quantize/dequantize pairs vanish into types; weights keep their exact codes',
  numbers: 'exact',
  run(graph, patch, { ops }) {
    patch.rule = 'constant-codes';
    stripConstants(graph, patch, ops);
    patch.rule = 'pair-to-grid';
    const links = linksOf(graph);
    for (const node of [...graph.nodes]) if (node.op === 'quantize') stripPair(links, node, patch);
  },
};

function stripConstants(graph: Graph, patch: Patch, ops: OpTable): void {
  for (const node of [...graph.nodes]) {
    const source = graph.optionalInput(node, 0);
    if (!source?.data) continue;
    const out = graph.output(node);
    // An output of the graph that is real must not become codes.
    if (graph.isResult(out.id) && node.op !== 'quantize') continue;
    const codes =
      node.op === 'quantize'
        ? patch.addConstant(`${source.name}/codes`, quantizeTensor(toReal(source.data), out.type.quant as Quant))
        : node.op === 'dequantize'
          ? source
          : movedCodes(node, source, source.data, ops, patch);
    if (!codes) continue;
    codes.gridSource ??= node.op === 'transpose2' || node.op === 'reshape2' ? source.gridSource : sourceOf(node);
    patch.replaceValue(out.id, codes.id, 'quant+dtype');
    patch.remove(node, { host: null, how: 'weights keep their codes' });
  }
}

/** A transpose or reshape of constant codes: the codes move, and the quantized axis with them. */
function movedCodes(node: Node, source: Value, data: Tensor, ops: OpTable, patch: Patch): Value | null {
  const { dtype, shape, quant } = source.type;
  const op = ops.get(node.op);
  if (!quant || !op || (node.op !== 'transpose2' && node.op !== 'reshape2')) return null;
  const [moved] = op.reference(node.attrs, [{ type: { dtype, shape }, data: data.data }]);
  const axis = quant.axis === null ? null : movedAxis(node, shape, quant.axis);
  if (!moved || axis === undefined) return null;
  const type = { dtype, shape: moved.type.shape, quant: { ...quant, axis } };
  return patch.addConstant(`${source.name}/moved`, { type, data: moved.data });
}

/** Where the slices along an axis lie after a transpose or reshape; undefined if they are torn apart. */
function movedAxis(node: Node, from: readonly number[], axis: number): number | undefined {
  if (node.op === 'transpose2') return (node.attrs.perm as readonly number[]).indexOf(axis);
  const to = node.attrs.shape as readonly number[];
  const before = sizeOf(from.slice(0, axis));
  const at = to.findIndex((d, i) => d === from[axis] && sizeOf(to.slice(0, i)) === before);
  return at < 0 ? undefined : at;
}

function stripPair(links: Links, quantize: Node, patch: Patch): void {
  const { graph } = links;
  const x = graph.input(quantize, 0);
  const codes = graph.output(quantize);
  const pairs = readersOf(links, codes.id).map((r) => r.node);
  if (graph.isResult(codes.id) || pairs.length === 0 || pairs.some((n) => n.op !== 'dequantize')) return;
  const host = links.producers.get(x.id) ?? null;
  const rounded = gridValue(links, quantize, x, codes.type.quant as Quant, patch);
  for (const output of graph.outputs) if (output.value === codes.id) output.value = rounded.id;
  for (const dequantize of pairs) {
    const real = graph.output(dequantize).id;
    patch.replaceValue(real, rounded.id, 'quant');
    patch.remove(dequantize, { host, how: 'the grid of a value' });
    forget(links, dequantize);
    moveReaders(links, real, rounded.id);
  }
  if (quantize.op !== 'quantize') return;
  patch.remove(quantize, { host, how: 'the grid of a value' });
  forget(links, quantize);
}

/** The value that carries the rounding of `x`: x itself, an equal rounding made before, or a new fake_quantize. */
function gridValue({ graph, consumers }: Links, quantize: Node, x: Value, quant: Quant, patch: Patch): Value {
  if (x.type.quant && sameQuant(x.type.quant, quant)) return x;
  const readers = consumers.get(x.id) ?? [];
  const onGrid = (node: Node): boolean => sameQuant(graph.output(node).type.quant, quant);
  if (!graph.isResult(x.id) && !x.type.quant && readers.every((r) => r.node.op === 'quantize' && onGrid(r.node))) {
    patch.retype(x.id, { ...x.type, quant }, 'quant', sourceOf(quantize));
    return x;
  }
  const twin = readers.find((r) => r.node.op === 'fake_quantize' && onGrid(r.node));
  if (twin) return graph.output(twin.node);
  patch.rewrite(quantize, 'fake_quantize', { quant });
  const type = { dtype: 'f32', shape: x.type.shape, quant } as const;
  patch.retype(graph.output(quantize).id, type, 'quant+dtype', sourceOf(quantize));
  return graph.output(quantize);
}
