import type { Graph, Node, Value } from '../ir/graph.js';
import type { OpTable } from '../ir/op.js';
import type { Patch } from '../ir/patch.js';
import { rowMajorStrides, type Tensor } from '../ir/tensor.js';
import { isCodes, type Rounding, scaleOf, thresholdGrid } from '../ir/type.js';
import { quantizeTensor } from '../quant/tensors.js';
import { filterAxis, hasInt8Form, PRODUCTS } from './int8-rules.js';
import { type Links, linksOf, type Reader, readersOf } from './match.js';
import { dataInputs, movesData } from './moves-data.js';
import type { Pass } from './pass.js';
import { throughText } from './propagate-scales.js';

/**
 * Before:     values without a grid, of which the model says what range it observed (thresholds in attributes); products
 *             that read such values, with float weights; y = k * x; y an average pool of x
 * After:      the values are on the grid of the threshold; the weights are codes with a scale per output channel; y is on
 *             k times the grid of x (also x on that of y over k), or on that of x
 * Conditions: --no-infer-scales was not given; no fake quantization reads the value, because that says more; a reader
 *             could be int8, and the model does not keep it in float (skip_quant). k is one positive constant. An average
 *             takes the grid of its operand only where a product with codes as weights would stay in float without
 * Formula:    step = threshold / 127; for weights the threshold is the greatest magnitude of the channel (Paddle's
 *             Quant2Int8MkldnnPass does the same)
 */
export const inferScales: Pass = {
  name: 'infer-scales',
  doc: 'thresholds in the attributes of the model become scales where fake quantization gives none',
  numbers: 'rounds',
  run(graph, patch, { ops, inferScales: wanted }) {
    if (!wanted) return;
    const links = linksOf(graph);
    const rounding = roundingOf(graph);
    const inferred = observedGrids(links, ops, rounding, patch);
    for (const node of graph.nodes) {
      const moves = movesData(ops, node) && dataInputs(graph, node).every((v) => inferred.has(v.id));
      if (moves && isOpen(graph, graph.output(node))) inferred.add(graph.output(node).id);
      if (PRODUCTS.has(node.op) && inferred.has(node.inputs[0] as number) && !keptFloat(graph, node))
        quantizeWeights(graph, node, rounding, patch);
    }
    for (const node of graph.nodes) giveScaled(links, node, patch);
  },
};

/** Puts values on the grids of what was observed of them; gives their ids. */
function observedGrids(links: Links, ops: OpTable, rounding: Rounding, patch: Patch): Set<number> {
  const { graph } = links;
  const inferred = new Set<number>();
  for (const value of graph.values.values()) {
    if (!value.observed || !isOpen(graph, value)) continue;
    const readers = readersOf(links, value.id);
    if (!readers.some((r) => gains(graph, ops, r)) || readers.some((r) => r.node.op === 'fake_quantize')) continue;
    const { threshold, source } = value.observed;
    patch.retype(value.id, { ...value.type, quant: thresholdGrid([threshold], null, rounding) }, 'quant', source);
    inferred.add(value.id);
  }
  return inferred;
}

/** Gives the result of k * x or of an average pool the grid that its operand has, or the operand that of k * x. */
function giveScaled(links: Links, node: Node, patch: Patch): void {
  const { graph } = links;
  const out = graph.output(node);
  const scaled = scaledOperand(graph, node);
  const averaged = node.op === 'pool2d' && readersOf(links, out.id).some((r) => wantsCodes(graph, r));
  const x = scaled?.x ?? (averaged ? graph.input(node, 0) : undefined);
  if (!x) return;
  const factor = scaled?.factor ?? 1;
  const give = (from: Value, to: Value, by: number): void => {
    const { quant } = from.type;
    if (!quant || quant.axis !== null || !isOpen(graph, to)) return;
    const scales = quant.scales.map((s) => scaleOf(quant, s * by));
    patch.retype(to.id, { ...to.type, quant: { ...quant, scales } }, 'quant', throughText(from, node));
  };
  give(x, out, factor);
  if (scaled && readersOf(links, x.id).length === 1) give(out, x, 1 / factor);
}

/** The operand and the factor of a product with one positive constant. */
function scaledOperand(graph: Graph, node: Node): { readonly x: Value; readonly factor: number } | null {
  if (node.op !== 'elementwise_mul' || node.attrs.activation) return null;
  for (const slot of [0, 1]) {
    const [x, k] = [graph.input(node, slot), graph.input(node, 1 - slot)];
    const factor = k.data && !k.type.quant && k.data.data.length === 1 ? Number(k.data.data[0]) : 0;
    if (factor > 0 && Number.isFinite(factor) && !x.data) return { x, factor };
  }
  return null;
}

/** Whether a product with codes as weights reads its operand here. */
const wantsCodes = (graph: Graph, { node, slot }: Reader): boolean =>
  slot === 0 && PRODUCTS.has(node.op) && graph.input(node, 1).type.quant !== undefined;

const isOpen = (graph: Graph, { id, type, data }: Value): boolean =>
  type.dtype === 'f32' && !type.quant && !data && !graph.isResult(id);

/** The rounding of the model's fake quantization; files without any are from before there was a choice. */
function roundingOf(graph: Graph): Rounding {
  for (const { type } of graph.values.values()) if (type.quant?.reciprocal) return type.quant.rounding;
  return 'away';
}

/** The words of the model for leaving a node, or one that was fused into it, in float. */
export const keptFloat = (graph: Graph, node: Node): string | undefined =>
  [node.id, ...node.fused.map((f) => f.id)].flatMap((id) => graph.keptFloat.get(id) ?? [])[0];

const gains = (graph: Graph, ops: OpTable, { node }: Reader): boolean =>
  hasInt8Form(ops, node) && !keptFloat(graph, node);

/** Float weights of a product as codes per output channel. */
function quantizeWeights(graph: Graph, node: Node, rounding: Rounding, patch: Patch): void {
  const w = graph.input(node, 1);
  if (!w.data || isCodes(w.type) || w.type.dtype !== 'f32') return;
  const axis = filterAxis(node);
  const grid = thresholdGrid(greatest(w.data, axis), axis, rounding);
  const codes = patch.addConstant(`${w.name}/codes`, quantizeTensor(w.data, grid));
  codes.gridSource = 'the greatest weight of each channel';
  patch.setInput(node, 1, codes.id, 'quant+dtype');
}

/** The greatest magnitude of each slice along an axis. */
function greatest({ type, data }: Tensor, axis: number): number[] {
  const [step, extent] = [rowMajorStrides(type.shape)[axis] as number, type.shape[axis] as number];
  const most = new Float32Array(extent);
  for (let i = 0; i < data.length; i++) {
    const c = Math.floor(i / step) % extent;
    most[c] = Math.max(most[c] as number, Math.abs(Number(data[i])));
  }
  return Array.from(most);
}
