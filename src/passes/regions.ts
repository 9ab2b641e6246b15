import type { Graph, Node, Value } from '../ir/graph.js';

/**
 * The groups of nodes that hand values to each other, in execution order of their first nodes. `joins` says whether a
 * value that one member makes and another reads links the two.
 */
export function regionsOf(graph: Graph, members: readonly Node[], joins: (value: Value) => boolean): Node[][] {
  const parent = new Map<Node, Node>(members.map((node) => [node, node]));
  const producers = graph.producers();
  for (const node of members)
    for (const id of node.inputs) {
      const source = id === null || !joins(graph.value(id)) ? undefined : producers.get(id);
      if (source && parent.has(source)) parent.set(rootOf(parent, node), rootOf(parent, source));
    }
  const regions = new Map<Node, Node[]>();
  for (const node of members) {
    const root = rootOf(parent, node);
    const region = regions.get(root);
    if (region) region.push(node);
    else regions.set(root, [node]);
  }
  return [...regions.values()];
}

/** The root of a node in a forest of regions; halves the path, so that long networks stay shallow. */
function rootOf(parent: Map<Node, Node>, node: Node): Node {
  let at = node;
  for (let up = parent.get(at) as Node; up !== at; up = parent.get(at) as Node) {
    parent.set(at, parent.get(up) as Node);
    at = up;
  }
  return at;
}
