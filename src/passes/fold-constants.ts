import type { Tensor } from '../ir/tensor.js';
import { evaluateNode } from '../ops/interpret.js';
import type { Pass } from './pass.js';

const NEVER = new Set(['quantize', 'dequantize', 'requantize', 'fake_quantize']);

/**
 * Before:     y = op(constants)
 * After:      y constant
 * Conditions: no operand carries a grid and the op does not cross one (folding never goes through
 *             quantize/dequantize: weights keep their exact codes)
 * Formula:    the op's own reference: float32, sums in float64
 */
export const foldConstants: Pass = {
  name: 'fold-constants',
  doc: 'nodes that depend on constants only are evaluated; never through quantize or dequantize',
  numbers: 'exact',
  run(graph, patch, { ops }) {
    for (const node of [...graph.nodes]) {
      const inputs = node.inputs.filter((id) => id !== null).map((id) => graph.value(id));
      if (NEVER.has(node.op) || inputs.length === 0) continue;
      if (!inputs.every((v) => v.data !== undefined && v.type.quant === undefined)) continue;
      const env = new Map(inputs.map((v) => [v.id, v.data as Tensor]));
      const results = evaluateNode(graph, ops, node, env);
      node.outputs.forEach((id, i) => {
        const constant = patch.addConstant(graph.value(id).name, results[i] as Tensor);
        patch.replaceValue(id, constant.id);
      });
      patch.remove(node, { host: null, how: 'folded into a constant' });
    }
  },
};
