import type { Attrs } from '../ir/graph.js';
import { ACTIVATION_OPS } from '../quant/activation.js';
import { absorb, isPrivate, linksOf, producerOf } from './match.js';
import type { Pass } from './pass.js';

/** Ops with an epilogue that computes an activation before the rounding. */
const HOSTS = new Set([
  'conv2d',
  'depthwise_conv2d',
  'conv2d_transpose',
  'fc',
  'mul',
  'elementwise_add',
  'elementwise_sub',
  'elementwise_mul',
  'elementwise_div',
]);

const ACTIVATIONS = new Set<string>(ACTIVATION_OPS);

/**
 * Before:     y = activation(host(...))
 * After:      y = host(..., activation)
 * Conditions: the host's result is unrounded, has no activation yet, and is read by nobody else
 * Formula:    clamping activations become bounds of the output codes; others act on the real value before rounding
 */
export const fuseActivation: Pass = {
  name: 'fuse-activation',
  doc: 'activations become epilogues of the op that feeds them',
  numbers: 'close',
  run(graph, patch) {
    const links = linksOf(graph);
    for (const node of [...graph.nodes]) {
      if (!ACTIVATIONS.has(node.op)) continue;
      const host = producerOf(links, node, 0, HOSTS);
      if (!host || !isPrivate(links, host) || host.attrs.activation) continue;
      const activation: Attrs = { kind: node.op, ...node.attrs };
      patch.rewrite(host, host.op, { ...host.attrs, activation });
      patch.takeOutput(host, node);
      patch.fuse(node, host);
      absorb(links, node, host);
    }
  },
};
