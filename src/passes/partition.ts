import { isCodes } from '../ir/type.js';
import type { Pass } from './pass.js';
import { regionsOf } from './regions.js';

/**
 * Before:     int8 nodes
 * After:      each carries the number of its region: int8 nodes that hand codes to each other
 * Conditions: regions are numbered in execution order from 1
 * Formula:    no number changes
 */
export const partition: Pass = {
  name: 'partition',
  doc: 'maximal regions of int8 nodes',
  numbers: 'exact',
  run(graph, patch) {
    const onCodes = graph.nodes.filter((n) => n.placement?.int8 || n.op === 'requantize');
    regionsOf(graph, onCodes, (value) => isCodes(value.type)).forEach((nodes, i) => {
      for (const node of nodes) {
        node.region = i + 1;
        patch.count++;
      }
    });
  },
};
