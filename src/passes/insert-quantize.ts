import type { Attrs, Graph, Node, Value } from '../ir/graph.js';
import type { OpTable } from '../ir/op.js';
import type { Patch } from '../ir/patch.js';
import { codesType, isCodes, type Quant, realType, sameQuant, type TensorType } from '../ir/type.js';
import { codeSlots, PRODUCTS } from './int8-rules.js';
import { type Links, linksOf, readersOf } from './match.js';
import { dataInputs, movesData } from './moves-data.js';
import type { Pass } from './pass.js';

/** The state of a run. `links` are those of the beginning: a value is split before its readers are looked at. */
interface Run {
  readonly graph: Graph;
  readonly links: Links;
  readonly patch: Patch;
  /** For a value that carries a rounding: the value as it was before. */
  readonly unrounded: Map<number, number>;
}

/**
 * Before:     nodes placed; grids stand on f32 values
 * After:      int8 nodes read codes (quantize in front) and give codes (dequantize behind); a float node whose result
 *             the model rounds is followed by quantize + dequantize; no f32 value carries a grid except behind a
 *             dequantize. Pairs that meet cancel in squash-quantize
 * Conditions: where the user asked for float, the model's rounding of the result is dropped as well, and that of a
 *             product in front that nobody else reads; a float node that only moves elements hands on what it reads;
 *             an int8 one keeps its operand's grid, then requantizes
 * Formula:    dequantize(quantize(x)) is the rounding that the grid on x stood for
 */
export const insertQuantize: Pass = {
  name: 'insert-quantize',
  doc: 'quantize and dequantize at the borders of every int8 node',
  numbers: 'close',
  run(graph, patch, { ops, precision }) {
    const run: Run = { graph, links: linksOf(graph), patch, unrounded: new Map() };
    const keepsGrid = new Set(graph.nodes.filter((node) => movesOneGrid(graph, ops, node)));
    for (const id of graph.inputs) splitRounding(run, graph.value(id), null, precision === 'fp32');
    for (const node of [...graph.nodes]) {
      if (node.op === 'fake_quantize') expandFakeQuantize(run, node);
      else if (node.placement?.int8) {
        for (const slot of codeSlots(node)) readCodes(run, node, slot);
        giveCodes(run, node, movesData(ops, node) && node.op !== 'concat');
      } else if (!isBoundary(node)) splitRounding(run, graph.output(node), node, keepsGrid.has(node) || isByUser(node));
    }
  },
};

const isBoundary = (node: Node): boolean =>
  node.op === 'quantize' || node.op === 'dequantize' || node.op === 'requantize';

const isByUser = (node: Node | undefined): boolean => node?.placement?.byUser === true;

/** Whether a node moves elements from a grid to the same grid. */
const movesOneGrid = (graph: Graph, ops: OpTable, node: Node): boolean =>
  movesData(ops, node) &&
  dataInputs(graph, node).every((v) => v.type.quant && sameQuant(v.type.quant, graph.output(node).type.quant));

/** Adds a node of one input in front of another; returns its result. */
function insert(
  { graph, patch }: Run,
  op: string,
  from: number,
  name: string,
  type: TensorType,
  at: Node | undefined,
): number {
  const attrs: Attrs = op === 'dequantize' ? {} : { quant: type.quant as Quant };
  const made = patch.addNode({ op, attrs, inputs: [from], outputs: [{ name, type }] }, at).outputs[0] as number;
  const { gridSource } = graph.value(from);
  if (gridSource !== undefined) graph.value(made).gridSource = gridSource;
  return made;
}

/** The grid that int8 readers of a value expect; it outlives the value's own annotation. */
function readCodes(run: Run, node: Node, slot: number): void {
  run.patch.rule = 'read-codes';
  const value = run.graph.optionalInput(node, slot);
  if (!value?.type.quant || value.data || isCodes(value.type)) return; // a residual without a scale stays real
  const codes = insert(run, 'quantize', value.id, `${value.name}/codes`, codesType(value.type), node);
  run.patch.setInput(node, slot, codes, 'quant+dtype');
}

/**
 * The result of an int8 node becomes codes, on the grid of its operand where the node `moves` them. A product of which
 * only nodes read that the user wants in float gives them its reals.
 */
function giveCodes(run: Run, node: Node, moves: boolean): void {
  const { graph, patch } = run;
  patch.rule = 'give-codes';
  const out = graph.output(node);
  const { type } = out;
  if (!type.quant || isCodes(type)) return;
  const readers = readersOf(run.links, out.id);
  if (
    PRODUCTS.has(node.op) &&
    !graph.isOutput(out.id) &&
    readers.length > 0 &&
    readers.every((r) => isByUser(r.node))
  ) {
    patch.retype(out.id, realType(type), 'quant');
    return;
  }
  const own = (moves ? graph.input(node, 0).type.quant : undefined) ?? type.quant;
  const next = behind(graph, node);
  patch.retype(out.id, codesType({ ...type, quant: own }), 'quant+dtype');
  const codes = sameQuant(own, type.quant)
    ? out.id
    : insert(run, 'requantize', out.id, `${out.name}/requantized`, codesType(type), next);
  const real = insert(run, 'dequantize', codes, `${out.name}/real`, type, next);
  for (const reader of readers) patch.setInput(reader.node, reader.slot, real, 'quant+dtype');
  redirectResults(graph, out.id, real);
}

const behind = (graph: Graph, node: Node): Node | undefined => graph.nodes[graph.nodes.indexOf(node) + 1];

function redirectOutputs(graph: Graph, from: number, to: number): void {
  for (const output of graph.outputs) if (output.value === from) output.value = to;
}

/** The model's outputs are real; a tap shows the codes. */
function redirectResults(graph: Graph, from: number, to: number): void {
  for (const output of graph.outputs) if (output.value === from && !output.tap) output.value = to;
}

/** Readers in float by the user's wish, and all float readers of a `raw` value, get it as it was before rounding. */
const keepsRaw = (reader: Node, raw: boolean): boolean =>
  !reader.placement?.int8 && reader.op !== 'fake_quantize' && (raw || isByUser(reader));

/** The rounding that the model has on a float value becomes quantize + dequantize, for those who want it. */
function splitRounding(run: Run, value: Value, after: Node | null, raw: boolean): void {
  const { graph, patch } = run;
  patch.rule = 'split-rounding';
  const { type } = value;
  if (!type.quant || isCodes(type) || value.data) return;
  patch.retype(value.id, realType(type), 'quant');
  const rounded = readersOf(run.links, value.id).filter((r) => !keepsRaw(r.node, raw));
  if (rounded.length === 0 && (raw || !graph.isOutput(value.id))) return;
  const at = after ? behind(graph, after) : graph.nodes[0];
  const codes = insert(run, 'quantize', value.id, `${value.name}/codes`, codesType(type), at);
  const real = insert(run, 'dequantize', codes, `${value.name}/rounded`, type, at);
  run.unrounded.set(real, value.id);
  for (const { node, slot } of rounded) patch.setInput(node, slot, real, 'quant');
  if (!raw) redirectOutputs(graph, value.id, real);
}

/** A rounding of its own: quantize + dequantize, or nothing for those who get the value as it was before. */
function expandFakeQuantize(run: Run, node: Node): void {
  const { graph, links, patch, unrounded } = run;
  patch.rule = 'expand-fake-quantize';
  const out = graph.output(node);
  const { type } = out;
  if (!type.quant) return;
  const input = node.inputs[0] as number;
  const source = unrounded.get(input) ?? input;
  const raw = isByUser(node) || isByUser(links.producers.get(source));
  const readers = readersOf(links, out.id);
  patch.rewrite(node, 'quantize', { quant: type.quant });
  patch.retype(out.id, codesType(type), 'quant+dtype');
  const real = insert(run, 'dequantize', out.id, `${out.name}/real`, type, behind(graph, node));
  unrounded.set(real, source);
  for (const r of readers) patch.setInput(r.node, r.slot, keepsRaw(r.node, raw) ? source : real, 'quant+dtype');
  if (raw) redirectOutputs(graph, out.id, source);
  else redirectResults(graph, out.id, real);
}
