import type { Graph, Node } from '../ir/graph.js';
import { sameShape } from '../ir/type.js';
import { absorb, isPrivate, type Links, linksOf } from './match.js';
import type { Pass } from './pass.js';

const CONVOLUTIONS = new Set(['conv2d', 'depthwise_conv2d']);

/**
 * Before:     y = elementwise_add(conv(x, w, b), r)
 * After:      y = conv(x, w, b, r): the residual joins the sum before the only rounding
 * Conditions: the convolution's result is unrounded (a quantize between the two is a rounding and stays one), without
 *             activation, of the same shape as r, and read by nobody else; r is not a constant
 * Formula:    t = acc * m + b / s_y + r / s_y, rounded once
 */
export const fuseConvAdd: Pass = {
  name: 'fuse-conv-add',
  doc: 'residual additions join the convolution that feeds them',
  numbers: 'close',
  run(graph, patch) {
    const links = linksOf(graph);
    for (const node of [...graph.nodes]) {
      if (node.op !== 'elementwise_add') continue;
      const slot = hostSlot(graph, node, links);
      if (slot === null) continue;
      const host = links.producers.get(node.inputs[slot] as number) as Node;
      patch.addInput(host, 3, node.inputs[1 - slot] as number);
      patch.rewrite(host, host.op, { ...host.attrs, activation: node.attrs.activation ?? null });
      patch.takeOutput(host, node);
      graph.nodes = graph.nodes.filter((n) => n !== host);
      graph.nodes.splice(graph.nodes.indexOf(node), 0, host);
      patch.fuse(node, host);
      absorb(links, node, host);
    }
  },
};

/** The operand whose convolution takes the addition in: the later one, so that the other is there in time. */
function hostSlot(graph: Graph, add: Node, links: Links): 0 | 1 | null {
  const [a, b] = [0, 1].map((slot) => {
    const host = links.producers.get(add.inputs[slot] as number);
    const other = graph.input(add, 1 - slot);
    const fits =
      host !== undefined &&
      CONVOLUTIONS.has(host.op) &&
      isPrivate(links, host) &&
      !host.attrs.activation &&
      !graph.optionalInput(host, 3) &&
      !other.data &&
      sameShape(other.type.shape, graph.output(host).type.shape);
    return fits ? graph.nodes.indexOf(host) : -1;
  }) as [number, number];
  if (a < 0 && b < 0) return null;
  return a >= b ? 0 : 1;
}
