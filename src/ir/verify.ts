/**
 * The invariants of a graph. The pass runner checks them after every pass.
 *
 *  1. Node ids are non-negative integers, and no two nodes share one.
 *  2. A fused or folded id has no node of its own, and is fused into one node only.
 *  3. Every value that is read or written exists, under its own id.
 *  4. SSA: every value is a graph input, a constant, or one output of one node.
 *  5. Order: a node reads graph inputs, constants and outputs of nodes before it.
 *  6. Names of the values in use are unique, and so are those of the outputs.
 *  7. There is at least one output, and outputs are values that something makes.
 *  8. Every op is in the table and has as many inputs as it says; absent ones are optional.
 *  9. Attributes are plain JSON: no undefined, no NaN.
 * 10. Shapes are lists of non-negative integers.
 * 11. Grids: scales are finite positive float32 numbers (any with `reciprocal`), as many as the axis is long (one without axis), zero points
 *     as many as scales, integers in [min, max], which lies in the range of the code type.
 * 12. dtype and grid agree: codes have the dtype of their grid; int64 and bool have none.
 * 13. Constants have the type of their value, fill their shape in the typed array of their dtype, and codes lie in
 *     the range of the grid.
 * 14. Outputs have the shape that `infer` gives, and its dtype; where it gives f32, codes on a grid are right as well.
 * 15. Proven ranges are those of codes: integers lo <= hi within the bounds of the grid.
 */
import { internalError } from '../support/errors.js';
import type { AttrValue, Graph, Node, Value } from './graph.js';
import type { InferInput, OpTable } from './op.js';
import { printNode } from './print.js';
import { allocate, type Tensor } from './tensor.js';
import { CODE_RANGE, isCodes, type Quant, sameShape, sameType, sizeOf, type TensorType } from './type.js';

/** Checks the invariants above; throws an internal error that shows the offending node among its neighbours. */
export function verify(graph: Graph, ops: OpTable): void {
  checkIds(graph);
  const made = new Map<number, string>();
  for (const id of graph.inputs) define(graph, id, 'an input of the graph', made);
  for (const value of graph.values.values()) {
    if (!value.data) continue;
    define(graph, value.id, 'a constant', made);
    const problem = constantProblem(value, value.data);
    if (problem) fail(graph, 13, `constant %${value.id} "${value.name}" ${problem}`);
  }
  for (const node of graph.nodes) checkNode(graph, ops, node, made);
  checkNames(graph, made);
  checkOutputs(graph, made);
}

/** Reports a broken invariant: the message, then the node's line with a marker between its neighbours' lines. */
function fail(graph: Graph, invariant: number, message: string, node?: Node): never {
  const lines: string[] = [];
  if (node) {
    const at = graph.nodes.indexOf(node);
    for (let i = Math.max(0, at - 2); i <= at + 2 && i < graph.nodes.length; i++)
      lines.push(`${i === at ? '>>> ' : '    '}${printNode(graph, graph.nodes[i] as Node, 'short')}`);
  }
  const details = node ? { node: `${node.op} (${node.id})${node.origin.name && ` "${node.origin.name}"`}` } : {};
  throw internalError([`broken invariant ${invariant}: ${message}`, ...lines].join('\n'), details);
}

function checkIds(graph: Graph): void {
  const alive = new Set<number>();
  for (const node of graph.nodes) {
    if (!Number.isSafeInteger(node.id) || node.id < 0) fail(graph, 1, `${node.id} is not a possible node id`, node);
    if (alive.has(node.id)) fail(graph, 1, `a second node with id ${node.id}`, node);
    alive.add(node.id);
  }
  const fused = new Set<number>();
  for (const node of graph.nodes)
    for (const { id, op } of node.fused) {
      if (alive.has(id)) fail(graph, 2, `${op} (${id}) is fused here and still has a node`, node);
      if (fused.has(id)) fail(graph, 2, `${op} (${id}) is fused twice`, node);
      fused.add(id);
    }
  for (const [id, { op }] of graph.folded) if (alive.has(id)) fail(graph, 2, `${op} (${id}) is folded and still alive`);
}

/** Records who makes a value. */
function define(graph: Graph, id: number, by: string, made: Map<number, string>, node?: Node): Value {
  const value = graph.values.get(id);
  if (!value) fail(graph, 3, `${by} is %${id}, which does not exist`, node);
  if (value.id !== id) fail(graph, 3, `%${id} says that it is %${value.id}`, node);
  if (made.has(id)) fail(graph, 4, `%${id} "${value.name}" is ${by} and also ${made.get(id)}`, node);
  made.set(id, by);
  const [invariant, problem] = typeProblem(value.type) ?? rangeProblem(value) ?? [];
  if (invariant !== undefined) fail(graph, invariant, `%${id} "${value.name}" ${problem}`, node);
  return value;
}

function checkNode(graph: Graph, ops: OpTable, node: Node, made: Map<number, string>): void {
  const op = ops.get(node.op);
  if (!op) fail(graph, 8, `there is no op ${node.op}`, node);
  const [least, most] = op.inputs;
  if (node.inputs.length < least || node.inputs.length > most)
    fail(graph, 8, `${node.op} takes ${least} to ${most} inputs, not ${node.inputs.length}`, node);
  node.inputs.forEach((id, slot) => {
    if (id === null && slot < least) fail(graph, 8, `input ${slot} of ${node.op} must not be absent`, node);
    if (id === null || made.has(id)) return;
    if (!graph.values.has(id)) fail(graph, 3, `input ${slot} is %${id}, which does not exist`, node);
    fail(graph, 5, `input ${slot} is %${id}, which nothing makes before this node`, node);
  });
  if (!isJson(node.attrs)) fail(graph, 9, 'the attributes are not plain JSON', node);
  node.outputs.forEach((id, i) => {
    const value = define(graph, id, `output ${i} of ${node.op} (${node.id})`, made, node);
    if (value.data) fail(graph, 4, `output ${i} is the constant %${id}`, node);
  });
  checkInferred(graph, ops, node);
}

function checkInferred(graph: Graph, ops: OpTable, node: Node): void {
  const inputs = node.inputs.map((id): InferInput | null => {
    if (id === null) return null;
    const { type, data } = graph.value(id);
    return data ? { type, data } : { type };
  });
  let types: TensorType[];
  try {
    types = ops.get(node.op)?.infer(node.attrs, inputs) ?? [];
  } catch (error) {
    fail(graph, 14, `infer refuses the node: ${error instanceof Error ? error.message : String(error)}`, node);
  }
  if (types.length !== node.outputs.length)
    fail(graph, 14, `${node.op} has ${types.length} outputs, not ${node.outputs.length}`, node);
  types.forEach((wanted, i) => {
    const { type } = graph.output(node, i);
    const dtypeFits = type.dtype === wanted.dtype || (wanted.dtype === 'f32' && isCodes(type));
    if (!dtypeFits || !sameShape(type.shape, wanted.shape))
      fail(graph, 14, `output ${i} should be ${wanted.dtype}[${wanted.shape}], not ${type.dtype}[${type.shape}]`, node);
  });
}

function checkNames(graph: Graph, made: ReadonlyMap<number, string>): void {
  const seen = new Map<string, number>();
  for (const id of made.keys()) {
    const { name } = graph.value(id);
    if (seen.has(name)) fail(graph, 6, `%${seen.get(name)} and %${id} are both named "${name}"`);
    seen.set(name, id);
  }
}

function checkOutputs(graph: Graph, made: ReadonlyMap<number, string>): void {
  if (graph.outputs.length === 0) fail(graph, 7, 'the graph has no output');
  const names = new Set<string>();
  for (const { value, name } of graph.outputs) {
    if (names.has(name)) fail(graph, 6, `two outputs are named "${name}"`);
    names.add(name);
    if (!made.has(value)) fail(graph, 7, `output "${name}" is %${value}, which nothing makes`);
  }
}

function isJson(value: AttrValue | undefined): boolean {
  if (typeof value === 'number') return !Number.isNaN(value);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value !== 'object' || ArrayBuffer.isView(value)) return false;
  return Object.values(value).every(isJson);
}

/** The invariant that a type breaks, with a message, or undefined. */
function typeProblem({ dtype, shape, quant }: TensorType): readonly [number, string] | undefined {
  if (!shape.every((d) => Number.isSafeInteger(d) && d >= 0)) return [10, `has the shape [${shape}]`];
  if (!quant) return undefined;
  const problem = gridProblem(quant, shape);
  if (problem) return [11, `has a grid ${problem}`];
  if (dtype !== 'f32' && dtype !== quant.dtype) return [12, `is ${dtype} on a grid of ${quant.dtype}`];
  return undefined;
}

/** What is wrong with a proven range, or undefined. */
function rangeProblem({ type, range }: Value): readonly [number, string] | undefined {
  if (!range) return undefined;
  const { lo, hi } = range;
  const q = type.quant;
  if (!q || !isCodes(type)) return [15, `has a range of codes but holds ${type.dtype}`];
  const [least, most] = [q.min - Math.max(...q.zeroPoints), q.max - Math.min(...q.zeroPoints)];
  if (Number.isInteger(lo) && Number.isInteger(hi) && least <= lo && lo <= hi && hi <= most) return undefined;
  return [15, `has the range ${lo}..${hi}, which is not within ${least}..${most}`];
}

/** What is wrong with a grid on a shape, or undefined. */
function gridProblem(q: Quant, shape: readonly number[]): string | undefined {
  const [least, most] = CODE_RANGE[q.dtype];
  if (!(Number.isInteger(q.min) && Number.isInteger(q.max) && least <= q.min && q.min <= q.max && q.max <= most))
    return `of the range ${q.min}..${q.max}, which ${q.dtype} does not hold`;
  const length = q.axis === null ? 1 : shape[q.axis];
  if (length === undefined) return `along axis ${q.axis} of a tensor of rank ${shape.length}`;
  if (q.scales.length !== length) return `of ${q.scales.length} scales where ${length} are needed`;
  if (q.zeroPoints.length !== length) return `of ${q.zeroPoints.length} zero points where ${length} are needed`;
  const scale = q.scales.find((s) => !(s > 0 && Number.isFinite(s) && (q.reciprocal || Math.fround(s) === s)));
  if (scale !== undefined) return `with the scale ${scale}, which is not a positive float32 number`;
  const zero = q.zeroPoints.find((z) => !(Number.isInteger(z) && q.min <= z && z <= q.max));
  return zero === undefined ? undefined : `with the zero point ${zero} outside ${q.min}..${q.max}`;
}

/** What is wrong with the data of a constant, or undefined. */
function constantProblem({ type }: Value, { type: own, data }: Tensor): string | undefined {
  if (!sameType(type, own)) return 'holds data of another type than its value';
  if (data.length !== sizeOf(type.shape)) return `holds ${data.length} elements, not ${sizeOf(type.shape)}`;
  if (data.constructor !== allocate(type.dtype, 0).constructor)
    return `holds its ${type.dtype} in ${data.constructor.name}`;
  const q = type.quant;
  if (!q || !isCodes(type)) return undefined;
  const [least, most] = CODE_RANGE[q.dtype];
  if (q.min === least && q.max === most) return undefined;
  const code = (data as Int8Array).find((c) => c < q.min || c > q.max);
  return code === undefined ? undefined : `holds the code ${code} outside ${q.min}..${q.max}`;
}
