import type { Node } from '../ir/graph.js';
import type { OpTable } from '../ir/op.js';

/** Whether a node only moves or selects elements, so that codes pass through it unchanged. */
export const movesData = (ops: OpTable, node: Node): boolean =>
  ops.get(node.op)?.quant === 'same-params' || (node.op === 'pool2d' && node.attrs.poolType === 'max');
