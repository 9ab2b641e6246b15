import type { Graph } from './ir/graph.js';
import { isSelected } from './passes/quantize-placement.js';
import { checkError } from './support/errors.js';

/**
 * Throws an error of kind check unless every op of the given types (Paddle names) is int8; a fused op counts by every
 * type that it was made of. `note` hears of types that the model does not have.
 */
export function requireInt8(graph: Graph, types: ReadonlySet<string>, note: (text: string) => void): void {
  for (const type of types)
    if (!graph.nodes.some((node) => isSelected(graph, node, new Set([type]))))
      note(`int8 is required of ${type}, but the model has none`);
  const left = graph.nodes.filter((node) => node.placement?.int8 === false && isSelected(graph, node, types));
  if (left.length === 0) return;
  const lines = left.map(({ op, id, origin, placement }) => {
    const name = origin.name === '' ? '' : ` "${origin.name}"`;
    return `  ${op} (${id})${name}: ${placement?.reason ?? 'no reason is known'}`;
  });
  const count = left.length === 1 ? '1 op is' : `${left.length} ops are`;
  throw checkError([`${count} not int8, as required:`, ...lines].join('\n'));
}
