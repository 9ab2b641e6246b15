import type { Graph, Node, Placement } from '../ir/graph.js';
import type { OpTable } from '../ir/op.js';
import { usageError } from '../support/errors.js';
import { decideRegions } from './decide-regions.js';
import { keptFloat } from './infer-scales.js';
import { hasInt8Form, int8Obstacle } from './int8-rules.js';
import type { Pass, PassContext } from './pass.js';

/**
 * Before:     grids known, nothing decided
 * After:      every node carries a placement: int8, or float with the reason
 * Conditions: int8 needs a selected type (--ops-to-quantize), no --op-ids-to-skip, no skip_quant in the model, grids on the operands, and a region
 *             of int8 nodes that is worth its conversions (decide-regions.ts)
 * Formula:    no number changes: insert-quantize acts on the decision
 */
export const quantizePlacement: Pass = {
  name: 'quantize-placement',
  doc: 'which nodes compute in int8, and why the others do not',
  numbers: 'exact',
  run(graph, patch, context) {
    const skipped = checkSkips(graph, context);
    patch.rule = 'int8-rules';
    for (const node of graph.nodes) patch.place(node, place(graph, node, skipped, context));
    decideRegions(graph, patch, context);
  },
};

function place(graph: Graph, node: Node, skipped: ReadonlySet<number>, context: PassContext): Placement {
  if (context.precision === 'fp32') return { int8: false, byUser: true, reason: 'compiled as float' };
  if (context.precision === 'fake-quantized') return { int8: false, reason: 'compiled as fake-quantized float' };
  const obstacle = int8Obstacle(graph, context.ops, node);
  if (hasInt8Form(context.ops, node)) {
    if (skipped.has(node.id)) return { int8: false, byUser: true, reason: `skipped by id ${node.id}` };
    if (!isSelected(graph, node, context.opsToQuantize)) return { int8: false, byUser: true, reason: 'not selected' };
    const kept = keptFloat(graph, node);
    if (kept !== undefined) return { int8: false, reason: kept };
  }
  return obstacle === null ? { int8: true } : { int8: false, reason: obstacle };
}

/** Op types that another type includes: an fc is a product with a bias. */
const INCLUDED_IN: Readonly<Record<string, string>> = { depthwise_conv2d: 'conv2d', fc: 'mul' };

/**
 * A fused node answers to every type it was made of, and to those that its parts had before they were rewritten; an fc
 * also to mul; conv2d includes the depthwise convolutions.
 */
export function isSelected(graph: Graph, node: Node, selected: ReadonlySet<string> | null): boolean {
  if (selected === null) return true;
  const parts = [node, ...node.fused];
  const names = parts.flatMap(({ id, op }) => [op, ...(graph.formerOps.get(id) ?? [])]);
  return names.some((n) => selected.has(n) || selected.has(INCLUDED_IN[n] ?? n));
}

function checkSkips(graph: Graph, { opIdsToSkip, ops }: PassContext): ReadonlySet<number> {
  for (const id of opIdsToSkip) {
    const node = graph.nodes.find((n) => n.id === id);
    if (node && hasInt8Form(ops, node)) continue;
    if (node)
      throw usageError(`op ${id} (${node.op}) cannot be int8, so it cannot be skipped`, {
        remedy: listIds(graph, ops),
      });
    const host = hostOf(graph, id);
    const remedy = host && hasInt8Form(ops, host) ? `Skip ${host.id} instead.` : listIds(graph, ops);
    const folded = graph.folded.get(id);
    if (host?.fused.some((f) => f.id === id))
      throw usageError(`op ${id} is fused into ${host.op} (${host.id})`, { remedy });
    if (folded) throw usageError(`op ${id} (${folded.op}) is no op of its own any more: ${folded.how}`, { remedy });
    throw usageError(`there is no op with id ${id}`, { remedy });
  }
  return new Set(opIdsToSkip);
}

/** The node that an op became part of; the op's first host may be part of another by now. */
function hostOf(graph: Graph, id: number): Node | undefined {
  const node = graph.nodes.find((n) => n.id === id || n.fused.some((f) => f.id === id));
  const next = graph.folded.get(id)?.host ?? null;
  return node ?? (next === null ? undefined : hostOf(graph, next));
}

function listIds(graph: Graph, ops: OpTable): string {
  const ids = graph.nodes.filter((n) => hasInt8Form(ops, n)).map((n) => `${n.op} (${n.id})`);
  return `Ops that can be int8: ${ids.join(', ')}.`;
}
