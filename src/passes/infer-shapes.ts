import { sameShape } from '../ir/type.js';
import { modelError } from '../support/errors.js';
import type { Pass } from './pass.js';

/**
 * Before:     nodes whose output types may be unknown or stale
 * After:      every output has the static shape and dtype that its op infers
 * Conditions: all inputs are static
 */
export const inferShapes: Pass = {
  name: 'infer-shapes',
  doc: 'static shapes and dtypes of every value',
  run(graph, _patch, { ops }) {
    for (const node of graph.nodes) {
      const inputs = node.inputs.map((id) => (id === null ? null : graph.value(id)));
      const op = ops.get(node.op);
      if (!op) throw modelError(`no op named ${node.op}`, { node: `${node.op} (${node.id})` });
      const types = op.infer(node.attrs, inputs);
      types.forEach((type, i) => {
        const value = graph.output(node, i);
        if (sameShape(value.type.shape, type.shape)) return;
        throw modelError(`shape [${value.type.shape}] in the file, but its inputs give [${type.shape}]`, {
          node: `${node.op} (${node.id})`,
        });
      });
    }
  },
};
