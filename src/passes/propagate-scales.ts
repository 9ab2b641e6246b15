import type { Graph, Node, Value } from '../ir/graph.js';
import type { Patch } from '../ir/patch.js';
import { type Quant, sameQuant } from '../ir/type.js';
import { internalError } from '../support/errors.js';
import { type Links, linksOf, readersOf } from './match.js';
import { dataInputs, movesData } from './moves-data.js';
import type { Pass } from './pass.js';

/**
 * Before:     y = move(x) with a per-tensor grid on one side only
 * After:      the same grid on both sides
 * Conditions: the op only moves or selects elements (quant class same-params), so that rounding before and after
 *             it is the same; backwards only where nobody else reads x. Concat: all inputs share the grid
 * Formula:    round(move(x)) = move(round(x))
 */
export const propagateScales: Pass = {
  name: 'propagate-scales',
  doc: 'grids pass through ops that only move data, both ways, to a fixpoint',
  numbers: 'exact',
  run(graph, patch, { ops }) {
    const links = linksOf(graph);
    const moves = graph.nodes.filter((node) => movesData(ops, node));
    const backwards = [...moves].reverse();
    for (let round = 0, before = -1; patch.count > before; round++) {
      if (round > moves.length + 1) throw internalError('propagate-scales does not come to an end');
      before = patch.count;
      for (const node of moves) giveResult(graph, node, patch);
      for (const node of backwards) giveOperands(links, node, patch);
    }
  },
};

/** Where a grid comes from that passed through a node. */
export const throughText = ({ name }: Value, node: Node): string => `"${name}" through ${node.op} (${node.id})`;

function giveResult(graph: Graph, node: Node, patch: Patch): void {
  const out = graph.output(node);
  const quant = commonGrid(dataInputs(graph, node));
  if (!quant || quant.axis !== null || out.type.quant) return;
  patch.retype(out.id, { ...out.type, quant }, 'quant', throughText(dataInputs(graph, node)[0] as Value, node));
}

function giveOperands(links: Links, node: Node, patch: Patch): void {
  const { graph } = links;
  const { quant } = graph.output(node).type;
  const open = dataInputs(graph, node).filter((v) => !v.type.quant);
  if (!quant || quant.axis !== null || !open.every((v) => v.type.dtype === 'f32' && isAlone(links, v))) return;
  for (const v of open) patch.retype(v.id, { ...v.type, quant }, 'quant', throughText(graph.output(node), node));
}

const isAlone = (links: Links, v: Value): boolean =>
  readersOf(links, v.id).length === 1 && !links.graph.isResult(v.id) && !v.data;

function commonGrid(values: readonly Value[]): Quant | undefined {
  const first = values[0]?.type.quant;
  return first && values.every((v) => sameQuant(v.type.quant, first)) ? first : undefined;
}
