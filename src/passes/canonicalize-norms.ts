import { f32 } from '../ir/tensor.js';
import { normalizationOf } from './normalization.js';
import type { Pass } from './pass.js';

/**
 * Before:     batch_norm(x, gamma, beta, mean, var) of an image that no convolution has taken in
 * After:      affine_channel(x, k, shift)
 * Conditions: the parameters are constants
 * Formula:    k = gamma / sqrt(var + eps), shift = beta - mean * k in float64, rounded once
 */
export const canonicalizeNorms: Pass = {
  name: 'canonicalize-norms',
  doc: 'batch norms that are left become a factor and a shift per channel',
  numbers: 'close',
  run(graph, patch) {
    for (const node of graph.nodes) {
      if (node.op !== 'batch_norm' || graph.output(node).type.shape.length !== 4) continue;
      const norm = normalizationOf(graph, node);
      if (!norm) continue;
      const { name } = graph.output(node);
      const constant = (part: string, list: Float64Array): number =>
        patch.addConstant(`${name}/${part}`, f32([list.length], Float32Array.from(list))).id;
      node.inputs = [node.inputs[0] as number, constant('scale', norm.k), constant('shift', norm.shift)];
      patch.rewrite(node, 'affine_channel', { axis: 1 });
    }
  },
};
