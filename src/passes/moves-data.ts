import type { Graph, Node, Value } from '../ir/graph.js';
import type { OpTable } from '../ir/op.js';

/** Whether a node is a border of a number that may lie on no grid. */
const fillsValue = (node: Node): boolean => node.op === 'pad' && node.attrs.value !== 0;

/** Whether a node only moves or selects elements, so that codes pass through it unchanged. */
export const movesData = (ops: OpTable, node: Node): boolean =>
  (ops.get(node.op)?.quant === 'same-params' && !fillsValue(node)) ||
  (node.op === 'pool2d' && node.attrs.poolType === 'max');

/** The operands of a moving node that hold the data: all of a concat, the first of the others. */
export const dataInputs = (graph: Graph, node: Node): Value[] =>
  node.op === 'concat' ? node.inputs.map((_, i) => graph.input(node, i)) : [graph.input(node, 0)];
