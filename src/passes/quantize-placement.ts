import type { Graph, Node, Placement } from '../ir/graph.js';
import type { OpTable } from '../ir/op.js';
import { usageError } from '../support/errors.js';
import { hasInt8Form, int8Obstacle } from './int8-rules.js';
import { linksOf } from './match.js';
import { movesData } from './moves-data.js';
import type { Pass, PassContext } from './pass.js';

/** Ops that gain nothing on their own: int8 only next to another int8 node. */
const LIGHT = new Set(['elementwise_add', 'elementwise_sub', 'elementwise_mul', 'pool2d']);

/**
 * Before:     grids known, nothing decided
 * After:      every node carries a placement: int8, or float with the reason
 * Conditions: int8 needs a selected type (--ops-to-quantize), no --op-ids-to-skip, grids on the operands, and for
 *             ops that are not convolutions or products a neighbour on codes (cost model)
 */
export const quantizePlacement: Pass = {
  name: 'quantize-placement',
  doc: 'which nodes compute in int8, and why the others do not',
  run(graph, patch, context) {
    const skipped = checkSkips(graph, context);
    for (const node of graph.nodes) {
      node.placement = place(graph, node, skipped, context);
      patch.count++;
    }
    leaveLonely(graph, context.ops);
  },
};

function place(graph: Graph, node: Node, skipped: ReadonlySet<number>, context: PassContext): Placement {
  if (context.precision === 'fp32') return { int8: false, byUser: true, reason: 'compiled as float' };
  if (context.precision === 'fake-quantized') return { int8: false, reason: 'compiled as fake-quantized float' };
  const obstacle = int8Obstacle(graph, context.ops, node);
  if (hasInt8Form(context.ops, node)) {
    if (skipped.has(node.id)) return { int8: false, byUser: true, reason: `skipped by id ${node.id}` };
    if (!isSelected(node, context.opsToQuantize)) return { int8: false, byUser: true, reason: 'not selected' };
  }
  return obstacle === null ? { int8: true } : { int8: false, reason: obstacle };
}

/** A fused node answers to every type it was made of; conv2d includes the depthwise convolutions. */
export function isSelected(node: Node, selected: ReadonlySet<string> | null): boolean {
  if (selected === null) return true;
  const names = [node.op, ...node.fused.map((f) => f.op)];
  return names.some((n) => selected.has(n) || (n === 'depthwise_conv2d' && selected.has('conv2d')));
}

function checkSkips(graph: Graph, { opIdsToSkip, ops }: PassContext): ReadonlySet<number> {
  for (const id of opIdsToSkip) {
    const node = graph.nodes.find((n) => n.id === id);
    if (node && hasInt8Form(ops, node)) continue;
    if (node)
      throw usageError(`op ${id} (${node.op}) cannot be int8, so it cannot be skipped`, {
        remedy: listIds(graph, ops),
      });
    const host = graph.nodes.find((n) => n.fused.some((f) => f.id === id));
    const folded = graph.folded.get(id);
    if (host)
      throw usageError(`op ${id} is fused into ${host.op} (${host.id})`, { remedy: `Skip ${host.id} instead.` });
    if (folded) {
      const hint = folded.host === null ? listIds(graph, ops) : `Skip ${folded.host} instead.`;
      throw usageError(`op ${id} (${folded.op}) is no op of its own any more: ${folded.how}`, { remedy: hint });
    }
    throw usageError(`there is no op with id ${id}`, { remedy: listIds(graph, ops) });
  }
  return new Set(opIdsToSkip);
}

function listIds(graph: Graph, ops: OpTable): string {
  const ids = graph.nodes.filter((n) => hasInt8Form(ops, n)).map((n) => `${n.op} (${n.id})`);
  return `Ops that can be int8: ${ids.join(', ')}.`;
}

/** Takes int8 away from light ops without a neighbour on codes, until nothing changes. */
function leaveLonely(graph: Graph, ops: OpTable): void {
  const { producers, consumers } = linksOf(graph);
  const light = (n: Node): boolean => LIGHT.has(n.op) || movesData(ops, n) || ops.get(n.op)?.quant === 'table';
  const neighbours = (n: Node): Node[] => [
    ...n.inputs.flatMap((id) => (id === null ? [] : (producers.get(id) ?? []))),
    ...n.outputs.flatMap((id) => (consumers.get(id) ?? []).map((c) => c.node)),
  ];
  const settled = new Set(graph.nodes.filter((n) => n.placement?.int8 && !light(n)));
  for (let grown = true; grown; ) {
    grown = false;
    for (const node of graph.nodes) {
      if (!node.placement?.int8 || settled.has(node)) continue;
      if (!neighbours(node).some((n) => settled.has(n))) continue;
      settled.add(node);
      grown = true;
    }
  }
  for (const node of graph.nodes)
    if (node.placement?.int8 && !settled.has(node))
      node.placement = { int8: false, reason: 'a lone int8 op: converting costs more than it gains' };
}
