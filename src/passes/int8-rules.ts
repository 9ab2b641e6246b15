import type { Graph, Node, Value } from '../ir/graph.js';
import type { OpTable } from '../ir/op.js';
import { isCodes, scaleAt, zeroPointAt } from '../ir/type.js';
import { codeReach } from '../ops/codes.js';
import { dataInputs, movesData } from './moves-data.js';

/** Ops that sum products of an operand with constant weights. */
export const PRODUCTS: ReadonlySet<string> = new Set(['conv2d', 'depthwise_conv2d', 'conv2d_transpose', 'mul', 'fc']);
const ELEMENTWISE = new Set(['elementwise_add', 'elementwise_sub', 'elementwise_mul']);

/** Inputs of a node that int8 computes on as codes; the others (weights, biases) are constants. */
const CODE_SLOTS: Readonly<Record<string, readonly number[]>> = {
  conv2d: [0, 3],
  depthwise_conv2d: [0, 3],
  conv2d_transpose: [0],
  mul: [0, 1],
  fc: [0, 1],
  pool2d: [0],
};

/** The slots of a node that an int8 form reads as codes. */
export const codeSlots = (node: Node): readonly number[] => CODE_SLOTS[node.op] ?? node.inputs.map((_, i) => i);

/** Ops that have an int8 form at all, whatever the scales. */
export const hasInt8Form = (ops: OpTable, node: Node): boolean => {
  const quant = ops.get(node.op)?.quant;
  return movesData(ops, node) || quant === 'requantizes' || quant === 'table';
};

/** Why a node cannot compute on codes, in words for the user; null if it can. Per-tensor grids are needed. */
export function int8Obstacle(graph: Graph, ops: OpTable, node: Node): string | null {
  if (!hasInt8Form(ops, node)) return `${node.op} has no int8 form`;
  if (hasGridPerChannel(graph.output(node))) return 'its output has a scale per channel';
  if (node.op === 'matmul') return matmulObstacle(graph, node);
  if (PRODUCTS.has(node.op)) return productObstacle(graph, node);
  if (ELEMENTWISE.has(node.op)) return operandObstacle(graph, node, node.inputs.length) ?? outputObstacle(graph, node);
  if (node.op === 'reduce_mean') return 'an int8 mean needs the image plane as axes';
  if (node.op === 'pool2d') return operandObstacle(graph, node, 1);
  const operands = movesData(ops, node) ? dataInputs(graph, node).length : node.inputs.length;
  return operandObstacle(graph, node, operands) ?? outputObstacle(graph, node);
}

const hasGridPerChannel = (v: Value): boolean => v.type.quant !== undefined && v.type.quant.axis !== null;

const onTensorGrid = (v: Value): boolean => v.type.quant !== undefined && v.type.quant.axis === null;

function operandObstacle(graph: Graph, node: Node, count: number): string | null {
  for (let slot = 0; slot < count; slot++) {
    const v = graph.optionalInput(node, slot);
    // A constant operand of an elementwise op counts with its real values.
    if (v?.data && !v.type.quant && v.type.dtype === 'f32' && ELEMENTWISE.has(node.op)) continue;
    if (v && !onTensorGrid(v)) return `no scale on input ${slot} ("${v.name}")`;
  }
  return null;
}

const outputObstacle = (graph: Graph, node: Node): string | null =>
  onTensorGrid(graph.output(node)) ? null : `no scale on its output ("${graph.output(node).name}")`;

/** The dimension of a product's weights that runs over the output channels. */
export function filterAxis(node: Node): number {
  if (node.op === 'mul' || node.op === 'fc') return node.attrs.transposeWeights ? 0 : 1;
  return node.op === 'conv2d_transpose' ? 1 : 0;
}

function productObstacle(graph: Graph, node: Node): string | null {
  const x = graph.input(node, 0);
  const w = graph.input(node, 1);
  if (!onTensorGrid(x)) return `no scale on input 0 ("${x.name}")`;
  if (!w.data) return computedObstacle(graph, node);
  if (!isCodes(w.type)) return `no scale on its weights ("${w.name}")`;
  const bias = graph.optionalInput(node, 2);
  if (bias && !bias.data) return 'its bias is computed at run time';
  if (node.op === 'conv2d_transpose' && node.attrs.groups !== 1) return 'it is a transposed convolution in groups';
  const axis = filterAxis(node);
  const wq = w.type.quant;
  if (wq && wq.axis !== null && wq.axis !== axis) return `its weights are quantized along axis ${wq.axis}`;
  const residual = graph.optionalInput(node, 3);
  if (residual && hasGridPerChannel(residual)) return `a scale per channel on input 3 ("${residual.name}")`;
  return overflowProof(graph, node, axis);
}

/** A product of two activations: per-tensor grids on both, and sums that fit. */
function computedObstacle(graph: Graph, node: Node): string | null {
  if (node.op !== 'mul' && node.op !== 'fc') return 'its weights are computed at run time';
  const bias = graph.optionalInput(node, 2);
  if (bias && !bias.data) return 'its bias is computed at run time';
  const codes = bias?.type.dtype === 'i32' && bias.data ? Array.from(bias.data.data as Int32Array, Math.abs) : [];
  return activationsObstacle(graph, node, Math.max(0, ...codes));
}

function matmulObstacle(graph: Graph, node: Node): string | null {
  if (node.attrs.alpha !== 1) return 'a product with a factor has no int8 form';
  if (node.attrs.transX) return 'a product with a transposed first operand has no int8 form';
  return activationsObstacle(graph, node, 0);
}

/** max|x - z_x| * max|y - z_y| * K + |bias| < 2^31. */
function activationsObstacle(graph: Graph, node: Node, extra: number): string | null {
  const obstacle = operandObstacle(graph, node, 2);
  if (obstacle) return obstacle;
  const [x, y] = [graph.input(node, 0).type, graph.input(node, 1).type];
  const most = codeReach(x) * codeReach(y) * (x.shape.at(-1) as number) + extra;
  return most < 2 ** 31 ? null : 'its sums may overflow int32';
}

/**
 * The proof that int32 sums cannot overflow: for every output channel,
 * max|x - z_x| * sum|w - z_w| + |bias| / (s_x * s_w) < 2^31. Null when it holds.
 */
function overflowProof(graph: Graph, node: Node, axis: number): string | null {
  const { data } = graph.input(node, 1);
  const xq = graph.input(node, 0).type.quant;
  const wq = graph.input(node, 1).type.quant;
  if (!data || !xq || !wq) return 'no scale';
  const reach = codeReach(graph.input(node, 0).type);
  const channels = data.type.shape[axis] as number;
  const inner = data.type.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const sums = new Float64Array(channels);
  const codes = data.data as Int8Array;
  for (let from = 0, slice = 0; from < codes.length; from += inner, slice++) {
    const c = slice % channels;
    const zero = zeroPointAt(wq, c);
    let sum = 0;
    for (let i = from; i < from + inner; i++) sum += Math.abs((codes[i] as number) - zero);
    sums[c] = (sums[c] as number) + sum;
  }
  const bias = graph.optionalInput(node, 2);
  for (let c = 0; c < channels; c++) {
    const unit = scaleAt(xq, 0) * scaleAt(wq, c);
    const raw = bias?.data ? Math.abs(Number(bias.data.data[c])) : 0;
    const b = bias?.type.dtype === 'i32' ? raw * (scaleAt(bias.type.quant ?? wq, c) / unit) : 0;
    if ((sums[c] as number) * reach + b >= 2 ** 31) return `sums of channel ${c} may overflow int32`;
  }
  return null;
}
