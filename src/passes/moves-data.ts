import type { Graph, Node, Value } from '../ir/graph.js';
import type { OpTable } from '../ir/op.js';

/** Whether a node only moves or selects elements, so that codes pass through it unchanged. */
export const movesData = (ops: OpTable, node: Node): boolean =>
  ops.get(node.op)?.quant === 'same-params' || (node.op === 'pool2d' && node.attrs.poolType === 'max');

/** The operands of a moving node that hold the data: all of a concat, the first of the others. */
export const dataInputs = (graph: Graph, node: Node): Value[] =>
  node.op === 'concat' ? node.inputs.map((_, i) => graph.input(node, i)) : [graph.input(node, 0)];
