import type { Attrs, CodeRange, Graph, Node, Value } from '../ir/graph.js';
import type { OpTable } from '../ir/op.js';
import type { Patch } from '../ir/patch.js';
import { allocate, type Tensor } from '../ir/tensor.js';
import { isCodes, type Quant, sameQuant, zeroPointAt } from '../ir/type.js';
import { centredCodes, isPerTensorCodes } from '../ops/codes.js';
import { quantAttr } from '../ops/import-helpers.js';
import { tableOf } from '../ops/table.js';
import { type Activation, clampBounds } from '../quant/activation.js';
import { codeBounds } from '../quant/bounds.js';
import { movesData } from './moves-data.js';
import type { Pass } from './pass.js';

/** The text of a range that only the grid proves. */
const BY_GRID = 'bounds of the grid';

/**
 * Before:     8-bit codes on their grids
 * After:      each such value carries a proven interval of its centred codes, and why
 * Conditions: per-tensor grids (constants: any); what no rule covers has the bounds of its grid
 * Formula:    codes after a clamp lie within the clamp's codes; requantization and addition are monotonic, so the ends
 *             of the operands' intervals give the ends of the result's; a table is evaluated over its input's interval
 */
export const analyzeRanges: Pass = {
  name: 'analyze-ranges',
  doc: 'which centred codes every value can hold, with the proof',
  numbers: 'exact',
  run(graph, patch, { ops }) {
    for (const value of graph.values.values()) if (value.data && isByteCodes(value)) setConstant(value, patch);
    for (const node of graph.nodes)
      for (const id of node.outputs) {
        const value = graph.value(id);
        if (!isByteCodes(value) || !isPerTensorCodes(value.type)) continue;
        patch.setRange(id, rangeOf(graph, ops, node, value));
      }
  },
};

const isByteCodes = ({ type }: Value): boolean => isCodes(type) && (type.dtype === 'i8' || type.dtype === 'u8');

function setConstant(value: Value, patch: Patch): void {
  if (!value.data || value.data.data.length === 0) return;
  let [lo, hi] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const code of centredCodes(value.data)) {
    if (code < lo) lo = code;
    if (code > hi) hi = code;
  }
  patch.setRange(value.id, { lo, hi, proof: 'constant' });
}

/** The range of one output of a node: the narrowest that a rule proves, never wider than the grid. */
function rangeOf(graph: Graph, ops: OpTable, node: Node, value: Value): CodeRange {
  const grid = value.type.quant as Quant;
  const [least, most] = codeBounds(grid);
  const found = ruleFor(graph, ops, node, grid);
  if (!found) return { lo: least, hi: most, proof: BY_GRID };
  const [lo, hi] = [Math.max(least, found.lo), Math.min(most, found.hi)];
  return { lo, hi, proof: lo === least && hi === most ? BY_GRID : found.proof };
}

function ruleFor(graph: Graph, ops: OpTable, node: Node, grid: Quant): CodeRange | null {
  const ofInputs = node.inputs.flatMap((id) => (id === null ? [] : (graph.value(id).range ?? [])));
  const ofData = ofInputs.length === node.inputs.length ? ofInputs : [];
  const [first] = ofData;
  if (node.op === 'requantize') return atEnds(graph, ops, node, grid);
  if (node.op === 'elementwise_add') return atEnds(graph, ops, node, grid) ?? clamped(node, grid);
  if (node.op === 'elementwise_mul' && nonNegative(ofData, ''))
    return atEnds(graph, ops, node, grid) ?? clamped(node, grid);
  if (node.op === 'pool2d' && node.attrs.poolType === 'avg')
    return nonNegative(ofData.slice(0, 1), 'average of codes that are not negative');
  if (movesData(ops, node)) return moved(graph, ops, node, grid);
  if (ops.get(node.op)?.quant === 'table') return first ? tabled(graph, ops, node, first, grid) : null;
  return clamped(node, grid);
}

/** The bounds that a fused clamp gives. */
function clamped(node: Node, grid: Quant): CodeRange | null {
  const activation = (node.attrs.activation ?? null) as Activation | null;
  if (!activation || !clampBounds(activation)) return null;
  const [lo, hi] = codeBounds(grid, activation);
  return { lo, hi, proof: activation.kind };
}

const describe = (ranges: readonly CodeRange[]): string => ranges.map(({ lo, hi }) => `${lo}..${hi}`).join(' and ');

/** The range of a node that is monotonic in all operands: the op's own arithmetic on their ends. */
function atEnds(graph: Graph, ops: OpTable, node: Node, grid: Quant): CodeRange | null {
  const activation = (node.attrs.activation ?? null) as Activation | null;
  if (activation && !clampBounds(activation)) return null;
  const values = node.inputs.map((_, i) => graph.input(node, i));
  const ranges = values.flatMap((v) => (v.range && isPerTensorCodes(v.type) ? [v.range] : []));
  if (ranges.length < values.length) return null;
  const ends = evaluate(ops, node.op, node.attrs, values, grid);
  return ends && { ...ends, proof: `${node.op} of ${describe(ranges)}` };
}

/** What an op makes of the lower and the upper ends of its operands. */
function evaluate(
  ops: OpTable,
  op: string,
  attrs: Attrs,
  operands: readonly Value[],
  grid: Quant,
): { lo: number; hi: number } | null {
  const tensors = operands.map(({ type, range }): Tensor => {
    const data = allocate(type.dtype, 2) as Int8Array;
    const zero = zeroPointAt(type.quant as Quant, 0);
    data.set([(range as CodeRange).lo + zero, (range as CodeRange).hi + zero]);
    return { type: { ...type, shape: [2] }, data };
  });
  const result = ops.get(op)?.integer?.(attrs, tensors, { dtype: grid.dtype, shape: [2], quant: grid });
  if (!result) return null;
  const [lo, hi] = centredCodes(result);
  return { lo: lo as number, hi: hi as number };
}

/** Averages of codes that are not negative are not negative; products of such are monotonic. */
function nonNegative(operands: readonly CodeRange[], proof: string): CodeRange | null {
  return operands.length > 0 && operands.every((r) => r.lo >= 0)
    ? { lo: 0, hi: Number.POSITIVE_INFINITY, proof }
    : null;
}

/** The union of what the operands hold; operands on another grid (concat) are requantized. */
function moved(graph: Graph, ops: OpTable, node: Node, grid: Quant): CodeRange | null {
  const parts: CodeRange[] = [];
  for (const id of node.inputs) {
    const value = id === null ? undefined : graph.value(id);
    if (!value || (value.data && !isCodes(value.type))) continue;
    if (!value.range || !isPerTensorCodes(value.type)) return null;
    if (sameQuant(value.type.quant, grid)) parts.push({ ...value.range, proof: `${node.op} of ${value.range.proof}` });
    else {
      const ends = node.op === 'concat' && evaluate(ops, 'requantize', { quant: quantAttr(grid) }, [value], grid);
      if (!ends) return null;
      parts.push({ ...ends, proof: 'concat' });
    }
  }
  if (parts.length === 0) return null;
  if (node.op === 'pad') parts.push({ lo: 0, hi: 0, proof: 'border' }); // zeros, centred
  const proof = parts.length === 1 ? (parts[0] as CodeRange).proof : `${node.op} of ${parts.length} operands`;
  return { lo: Math.min(...parts.map((r) => r.lo)), hi: Math.max(...parts.map((r) => r.hi)), proof };
}

/** A unary op on codes takes the values of its table; clamps on one grid keep codes and limit them. */
function tabled(graph: Graph, ops: OpTable, node: Node, from: CodeRange, grid: Quant): CodeRange | null {
  const source = graph.input(node, 0).type.quant as Quant;
  const op = ops.get(node.op);
  if (!op || node.attrs.onCodes || source.axis !== null) return null;
  const table = tableOf(op, node.attrs, source, grid);
  const zero = zeroPointAt(source, 0);
  let [lo, hi] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let code = from.lo + zero; code <= from.hi + zero; code++) {
    const entry = (table[code & 255] as number) - zeroPointAt(grid, 0);
    lo = Math.min(lo, entry);
    hi = Math.max(hi, entry);
  }
  return { lo, hi, proof: `table of ${node.op} over ${from.lo}..${from.hi}` };
}
