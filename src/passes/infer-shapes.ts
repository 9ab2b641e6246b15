import type { Graph, Node } from '../ir/graph.js';
import type { OpTable } from '../ir/op.js';
import { sameShape, type TensorType } from '../ir/type.js';
import { modelError } from '../support/errors.js';
import type { Pass } from './pass.js';

/**
 * Before:     nodes whose output types may be unknown or stale
 * After:      every output has the static shape and dtype that its op infers
 * Conditions: all inputs are static
 * Formula:    no number changes
 */
export const inferShapes: Pass = {
  name: 'infer-shapes',
  doc: 'static shapes and dtypes of every value',
  numbers: 'exact',
  run(graph, _patch, { ops }) {
    for (const node of graph.nodes) {
      const where = `${node.op} (${node.id})`;
      inferred(graph, node, ops, where).forEach((type, i) => {
        const { shape } = graph.output(node, i).type;
        if (sameShape(shape, type.shape)) return;
        throw modelError(`shape [${shape}] in the file, but its inputs give [${type.shape}]`, { node: where });
      });
    }
  },
};

function inferred(graph: Graph, node: Node, ops: OpTable, where: string): TensorType[] {
  const op = ops.get(node.op);
  if (!op) throw modelError(`no op named ${node.op}`, { node: where });
  const inputs = node.inputs.map((id) => (id === null ? null : graph.value(id)));
  try {
    return op.infer(node.attrs, inputs);
  } catch (cause) {
    throw modelError(cause instanceof Error ? cause.message : String(cause), { node: where, cause });
  }
}
