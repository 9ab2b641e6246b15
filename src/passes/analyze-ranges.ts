import type { CodeRange, Graph, Node, Value } from '../ir/graph.js';
import type { OpTable } from '../ir/op.js';
import type { Patch } from '../ir/patch.js';
import { isCodes, type Quant, sameQuant, scaleAt, zeroPointAt } from '../ir/type.js';
import { centredCodes, isPerTensorCodes } from '../ops/codes.js';
import { scaledAddition } from '../ops/elementwise.js';
import { tableOf } from '../ops/table.js';
import { type Activation, clampBounds } from '../quant/activation.js';
import { codeBounds } from '../quant/bounds.js';
import { roundToCode } from '../quant/requantize.js';
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
  if (node.op === 'requantize') return first ? requantized(graph, node, first, grid) : null;
  if (node.op === 'elementwise_add') return addition(graph, node, grid) ?? clamped(node, grid);
  if (node.op === 'elementwise_mul' && !node.attrs.activation)
    return nonNegative(ofData, 'product of codes that are not negative');
  if (node.op === 'pool2d' && node.attrs.poolType === 'avg')
    return nonNegative(ofData.slice(0, 1), 'average of codes that are not negative');
  if (movesData(ops, node)) return moved(graph, node, grid);
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

/** Only the ends matter for monotonic functions of one operand. */
function requantized(graph: Graph, node: Node, from: CodeRange, grid: Quant): CodeRange {
  const m = Math.fround(scaleAt(graph.input(node, 0).type.quant as Quant, 0) / scaleAt(grid, 0));
  const end = (code: number): number => roundToCode(Math.fround(code * m), grid.rounding, ...codeBounds(grid));
  return { lo: end(from.lo), hi: end(from.hi), proof: `requantize of ${from.lo}..${from.hi}` };
}

function addition(graph: Graph, node: Node, grid: Quant): CodeRange | null {
  const activation = (node.attrs.activation ?? null) as Activation | null;
  if (activation && !clampBounds(activation)) return null;
  const [a, b] = [graph.input(node, 0), graph.input(node, 1)];
  if (!a.range || !b.range || !isPerTensorCodes(a.type) || !isPerTensorCodes(b.type)) return null;
  const [sa, sb] = [scaleAt(a.type.quant as Quant, 0), scaleAt(b.type.quant as Quant, 0)];
  const [least, most] = codeBounds(grid, activation);
  const end = (x: number, y: number): number =>
    roundToCode(scaledAddition(x, y, sa, sb, scaleAt(grid, 0)), grid.rounding, least, most);
  const proof = `sum of ${a.range.lo}..${a.range.hi} and ${b.range.lo}..${b.range.hi}`;
  return { lo: end(a.range.lo, b.range.lo), hi: end(a.range.hi, b.range.hi), proof };
}

/** Products and averages of codes that are not negative, by positive factors, are not negative. */
function nonNegative(operands: readonly CodeRange[], proof: string): CodeRange | null {
  return operands.length > 0 && operands.every((r) => r.lo >= 0)
    ? { lo: 0, hi: Number.POSITIVE_INFINITY, proof }
    : null;
}

/** The union of what the operands hold; operands on another grid (concat) are requantized. */
function moved(graph: Graph, node: Node, grid: Quant): CodeRange | null {
  const parts: CodeRange[] = [];
  for (const id of node.inputs) {
    const value = id === null ? undefined : graph.value(id);
    if (!value || (value.data && !isCodes(value.type))) continue;
    if (!value.range || !isPerTensorCodes(value.type)) return null;
    if (sameQuant(value.type.quant, grid)) parts.push({ ...value.range, proof: `${node.op} of ${value.range.proof}` });
    else if (node.op === 'concat') {
      const m = Math.fround(scaleAt(value.type.quant as Quant, 0) / scaleAt(grid, 0));
      const end = (code: number): number => roundToCode(Math.fround(code * m), grid.rounding, ...codeBounds(grid));
      parts.push({ lo: end(value.range.lo), hi: end(value.range.hi), proof: 'concat' });
    } else return null;
  }
  if (parts.length === 0) return null;
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
