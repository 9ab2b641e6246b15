import type { Node } from '../ir/graph.js';
import { isCodes } from '../ir/type.js';
import type { Pass } from './pass.js';

/**
 * Before:     int8 nodes
 * After:      each carries the number of its region: int8 nodes that hand codes to each other
 * Conditions: regions are numbered in execution order from 1
 */
export const partition: Pass = {
  name: 'partition',
  doc: 'maximal regions of int8 nodes',
  run(graph, patch) {
    const parent = new Map<Node, Node>();
    const root = (n: Node): Node => {
      const up = parent.get(n);
      return up && up !== n ? root(up) : n;
    };
    const producers = graph.producers();
    const onCodes = graph.nodes.filter((n) => n.placement?.int8 || n.op === 'requantize');
    for (const node of onCodes) {
      parent.set(node, parent.get(node) ?? node);
      for (const id of node.inputs) {
        const source = id === null || !isCodes(graph.value(id).type) ? undefined : producers.get(id);
        if (source && parent.has(source)) parent.set(root(source), root(node));
      }
    }
    const numbers = new Map<Node, number>();
    for (const node of onCodes) {
      const r = root(node);
      if (!numbers.has(r)) numbers.set(r, numbers.size + 1);
      node.region = numbers.get(r);
      patch.count++;
    }
  },
};
