import type { Node } from '../ir/graph.js';
import { isCodes } from '../ir/type.js';
import type { Pass } from './pass.js';

/**
 * Before:     int8 nodes
 * After:      each carries the number of its region: int8 nodes that hand codes to each other
 * Conditions: regions are numbered in execution order from 1
 * Formula:    no number changes
 */
export const partition: Pass = {
  name: 'partition',
  doc: 'maximal regions of int8 nodes',
  run(graph, patch) {
    const parent = new Map<Node, Node>();
    const producers = graph.producers();
    const onCodes = graph.nodes.filter((n) => n.placement?.int8 || n.op === 'requantize');
    for (const node of onCodes) {
      parent.set(node, node);
      for (const id of node.inputs) {
        const source = id === null || !isCodes(graph.value(id).type) ? undefined : producers.get(id);
        if (source && parent.has(source)) parent.set(rootOf(parent, node), rootOf(parent, source));
      }
    }
    const numbers = new Map<Node, number>();
    for (const node of onCodes) {
      const root = rootOf(parent, node);
      if (!numbers.has(root)) numbers.set(root, numbers.size + 1);
      node.region = numbers.get(root);
      patch.count++;
    }
  },
};

/** The root of a node in a forest of regions; halves the path, so that long networks stay shallow. */
function rootOf(parent: Map<Node, Node>, node: Node): Node {
  let at = node;
  for (let up = parent.get(at) as Node; up !== at; up = parent.get(at) as Node) {
    parent.set(at, parent.get(up) as Node);
    at = up;
  }
  return at;
}
