import type { Graph, Node, Value } from '../ir/graph.js';
import type { Patch } from '../ir/patch.js';
import { codesType, isCodes, type Quant, realType } from '../ir/type.js';
import { linksOf } from './match.js';
import type { Pass } from './pass.js';

/** Inputs of a node that int8 computes on as codes; the others (weights, biases) are constants. */
const CODE_SLOTS: Readonly<Record<string, readonly number[]>> = {
  conv2d: [0, 3],
  depthwise_conv2d: [0, 3],
  mul: [0],
  fc: [0],
  pool2d: [0],
};

/**
 * Before:     nodes placed; grids stand on f32 values
 * After:      int8 nodes read codes (quantize in front) and give codes (dequantize behind); a float node whose result
 *             the model rounds is followed by quantize + dequantize; no f32 value carries a grid except behind a
 *             dequantize. Pairs that meet cancel in squash-quantize
 * Conditions: where the user asked for float, the model's rounding of the result is dropped as well
 */
export const insertQuantize: Pass = {
  name: 'insert-quantize',
  doc: 'quantize and dequantize at the borders of every int8 node',
  run(graph, patch) {
    for (const id of graph.inputs) splitRounding(graph, graph.value(id), null, patch);
    for (const node of [...graph.nodes]) {
      if (node.op === 'fake_quantize') expandFakeQuantize(graph, node, patch);
      else if (node.placement?.int8) {
        for (const slot of CODE_SLOTS[node.op] ?? node.inputs.map((_, i) => i)) readCodes(graph, node, slot, patch);
        giveCodes(graph, node, patch);
      } else if (!isBoundary(node)) splitRounding(graph, graph.output(node), node, patch);
    }
  },
};

const isBoundary = (node: Node): boolean =>
  node.op === 'quantize' || node.op === 'dequantize' || node.op === 'requantize';

/** The grid that int8 readers of a value expect; it outlives the value's own annotation. */
function readCodes(graph: Graph, node: Node, slot: number, patch: Patch): void {
  const value = graph.optionalInput(node, slot);
  if (!value || value.data || isCodes(value.type)) return;
  const quant = value.type.quant;
  if (!quant) return; // a residual without a scale stays real
  const codes = patch.addNode(
    {
      op: 'quantize',
      attrs: { quant },
      inputs: [value.id],
      outputs: [{ name: `${value.name}/codes`, type: codesType(value.type) }],
    },
    node,
  );
  patch.setInput(node, slot, codes.outputs[0] as number, 'quant+dtype');
}

function giveCodes(graph: Graph, node: Node, patch: Patch): void {
  const out = graph.output(node);
  if (!out.type.quant) return;
  const type = out.type;
  const next = graph.nodes[graph.nodes.indexOf(node) + 1];
  const real = patch.addNode(
    { op: 'dequantize', attrs: {}, inputs: [out.id], outputs: [{ name: `${out.name}/real`, type }] },
    next,
  );
  patch.replaceValue(out.id, real.outputs[0] as number, 'quant', real);
  patch.retype(out.id, codesType(type), 'quant+dtype');
}

/**
 * The rounding that the model has on a float value becomes quantize + dequantize. Readers in float by the user's
 * wish, and all float readers of a node in float by the user's wish, get the value as it was before rounding.
 */
function splitRounding(graph: Graph, value: Value, producer: Node | null, patch: Patch): void {
  const quant = value.type.quant;
  if (!quant || isCodes(value.type)) return;
  const annotated = value.type;
  patch.retype(value.id, realType(annotated), 'quant');
  insertRounding(graph, value, quant, producer?.placement?.byUser ?? false, producer, patch);
}

function insertRounding(
  graph: Graph,
  value: Value,
  quant: Quant,
  raw: boolean,
  after: Node | null,
  patch: Patch,
): void {
  const readers = linksOf(graph).consumers.get(value.id) ?? [];
  const keepsRaw = (reader: Node): boolean =>
    !reader.placement?.int8 && reader.op !== 'fake_quantize' && (raw || reader.placement?.byUser === true);
  const rounded = readers.filter((r) => !keepsRaw(r.node));
  if (rounded.length === 0 && (raw || !graph.isOutput(value.id))) return;
  const at = after ? graph.nodes[graph.nodes.indexOf(after) + 1] : graph.nodes[0];
  const type = { ...realType(value.type), quant };
  const codes = patch.addNode(
    {
      op: 'quantize',
      attrs: { quant },
      inputs: [value.id],
      outputs: [{ name: `${value.name}/codes`, type: codesType(type) }],
    },
    at,
  );
  const real = patch.addNode(
    {
      op: 'dequantize',
      attrs: {},
      inputs: [codes.outputs[0] as number],
      outputs: [{ name: `${value.name}/rounded`, type }],
    },
    at,
  );
  for (const { node, slot } of rounded) patch.setInput(node, slot, real.outputs[0] as number, 'quant');
  if (!raw) for (const output of graph.outputs) if (output.value === value.id) output.value = real.outputs[0] as number;
}

/** A rounding of its own: quantize + dequantize, or nothing for readers in float by the user's wish. */
function expandFakeQuantize(graph: Graph, node: Node, patch: Patch): void {
  const out = graph.output(node);
  const source = graph.input(node, 0);
  const type = out.type;
  if (!type.quant) return;
  const readers = linksOf(graph).consumers.get(out.id) ?? [];
  for (const { node: reader, slot } of readers)
    if (reader.placement?.byUser) patch.setInput(reader, slot, source.id, 'quant');
  patch.rewrite(node, 'quantize', { quant: type.quant });
  const next = graph.nodes[graph.nodes.indexOf(node) + 1];
  const real = patch.addNode(
    { op: 'dequantize', attrs: {}, inputs: [out.id], outputs: [{ name: `${out.name}/real`, type }] },
    next,
  );
  patch.replaceValue(out.id, real.outputs[0] as number, 'quant', real);
  patch.retype(out.id, codesType(type), 'quant+dtype');
}
