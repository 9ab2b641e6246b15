import type { Graph } from './ir/graph.js';
import { usageError } from './support/errors.js';

/** Values that depend on constants alone: weights behind their dequantize, for one. */
function constantValues(graph: Graph): ReadonlySet<number> {
  const constant = new Set([...graph.values.values()].flatMap((v) => (v.data ? [v.id] : [])));
  for (const node of graph.nodes)
    if (node.inputs.every((id) => id === null || constant.has(id))) for (const id of node.outputs) constant.add(id);
  return constant;
}

/**
 * Taps values of an imported graph: all results of nodes passively, or those named so that they are kept. Outputs of
 * the model are there already. Throws a usage error for a name that is no activation.
 */
export function addTaps(graph: Graph, taps: readonly string[] | 'all'): void {
  const outputs = new Set(graph.outputs.map((o) => o.name));
  const constant = constantValues(graph);
  if (taps === 'all') {
    for (const node of graph.nodes)
      for (const id of node.outputs) {
        const { name } = graph.value(id);
        if (!constant.has(id) && !outputs.has(name)) graph.addOutput(id, name, 'passive');
      }
    return;
  }
  const byName = new Map([...graph.values.values()].map((v) => [v.name, v.id]));
  for (const name of new Set(taps)) {
    if (outputs.has(name)) continue;
    const id = byName.get(name);
    if (id === undefined)
      throw usageError(`the model has no value "${name}" to tap`, {
        remedy: 'Name the output of a node that is neither folded nor an identity.',
      });
    if (constant.has(id)) throw usageError(`"${name}" is a constant, it cannot be tapped`);
    graph.addOutput(id, name, 'kept');
  }
}

/** Several passive taps that came to stand on one value become the first of them: a value, its codes and its reals. */
export function mergeTaps(graph: Graph): void {
  const seen = new Set(graph.outputs.flatMap((o) => (o.tap === 'passive' ? [] : [o.value])));
  const left = graph.outputs.filter(({ value, tap }) => {
    const first = tap !== 'passive' || !seen.has(value);
    seen.add(value);
    return first;
  });
  graph.outputs.splice(0, graph.outputs.length, ...left);
}
