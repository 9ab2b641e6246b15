import type { Pass } from './pass.js';

/**
 * Before:     nodes and values that no output needs
 * After:      they are gone; graph inputs stay
 * Conditions: always
 * Formula:    no number that is left changes
 */
export const eliminateDead: Pass = {
  name: 'eliminate-dead',
  doc: 'nodes and constants that no output needs',
  numbers: 'exact',
  run(graph, patch) {
    const needed = new Set(graph.outputs.map((o) => o.value));
    for (const node of [...graph.nodes].reverse()) {
      if (!node.outputs.some((id) => needed.has(id))) {
        patch.remove(node, { host: null, how: 'no output needs it' });
        continue;
      }
      for (const id of node.inputs) if (id !== null) needed.add(id);
      for (const id of node.outputs) needed.add(id);
    }
    for (const id of graph.inputs) needed.add(id);
    for (const id of [...graph.values.keys()]) if (!needed.has(id)) graph.values.delete(id);
  },
};
