import type { Graph, Node, Value } from '../ir/graph.js';
import type { OpTable } from '../ir/op.js';
import type { Patch } from '../ir/patch.js';
import { sizeOf } from '../ir/type.js';
import { linksOf, readersOf } from './match.js';
import { movesData } from './moves-data.js';
import type { PassContext } from './pass.js';
import { regionsOf } from './regions.js';

/** Ops that gain nothing on their own: int8 only next to another int8 node. */
const LIGHT = new Set(['elementwise_add', 'elementwise_sub', 'elementwise_mul', 'pool2d']);

/** Whether an op is int8 only in company. */
export const isLight = (ops: OpTable, node: Node): boolean =>
  LIGHT.has(node.op) || movesData(ops, node) || ops.get(node.op)?.quant === 'table';

/**
 * The cost model, and the part of the user in it: a region of int8 nodes stays where it holds a convolution or product,
 * which gain more than converting at the borders costs, and where it is as large as --min-region asks. The others become
 * float. What was decided is kept in `graph.decisions`.
 */
export function decideRegions(graph: Graph, patch: Patch, { ops, minRegion }: PassContext): void {
  const links = linksOf(graph);
  const members = graph.nodes.filter((node) => node.placement?.int8);
  for (const nodes of regionsOf(graph, members, (value) => value.type.quant !== undefined)) {
    const inside = new Set(nodes);
    const values = [
      ...valuesRead(graph, nodes).filter((v) => !inside.has(links.producers.get(v.id) as Node)),
      ...nodes
        .flatMap((node) => node.outputs.map((id) => graph.value(id)))
        .filter((v) => graph.isOutput(v.id) || readersOf(links, v.id).some((r) => !inside.has(r.node))),
    ].filter((v) => v.type.quant !== undefined);
    const elements = values.reduce((sum, v) => sum + sizeOf(v.type.shape), 0);
    const heavy = nodes.filter((node) => !isLight(ops, node)).length;
    const cost = `converting ${elements} elements at ${values.length} borders`;
    const { why, rule, reason } = judge(nodes.length, heavy, cost, minRegion);
    graph.decisions.push({ nodes, int8: reason === null, why, elements, borders: values.length });
    patch.rule = rule;
    if (reason !== null)
      for (const node of nodes)
        patch.place(node, { int8: false, reason, ...(rule === 'min-region' ? { byUser: true } : {}) });
  }
}

/** What becomes of a region of `size` nodes, `heavy` of them convolutions or products; a reason makes it float. */
function judge(
  size: number,
  heavy: number,
  cost: string,
  least: number,
): { readonly why: string; readonly rule: string; readonly reason: string | null } {
  if (heavy === 0)
    return {
      rule: 'cost-model',
      reason: 'a lone int8 op: converting costs more than it gains',
      why: `no convolution or product; ${cost} costs more than it gains`,
    };
  if (size < least)
    return {
      rule: 'min-region',
      reason: `its int8 region of ${size} ${size === 1 ? 'op' : 'ops'} is smaller than ${least}`,
      why: `smaller than ${least}, as asked for`,
    };
  return {
    rule: 'cost-model',
    reason: null,
    why: `${heavy === 1 ? 'a convolution or product is' : `${heavy} convolutions and products are`} worth ${cost}`,
  };
}

/** The computed values that nodes read, each once. */
function valuesRead(graph: Graph, nodes: readonly Node[]): Value[] {
  const ids = new Set(nodes.flatMap((node) => node.inputs));
  return [...ids].flatMap((id) => (id === null || graph.value(id).data ? [] : [graph.value(id)]));
}
