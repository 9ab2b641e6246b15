import type { Graph, Node, Value } from '../ir/graph.js';
import type { OpTable } from '../ir/op.js';
import type { Patch } from '../ir/patch.js';
import { type Quant, sameQuant, scaleOf } from '../ir/type.js';
import { internalError } from '../support/errors.js';
import { PRODUCTS } from './int8-rules.js';
import { type Links, linksOf, readersOf } from './match.js';
import { dataInputs, movesData } from './moves-data.js';
import type { Pass } from './pass.js';

/**
 * Before:     y = move(x) with a per-tensor grid on one side only; y = k * x; y an average pool of x
 * After:      the same grid on both sides, times k; that of x on an average that a product reads
 * Conditions: the op only moves or selects elements (quant class same-params), so that rounding before and after
 *             it is the same; backwards only where nobody else reads x. Concat: all inputs share the grid. k is one
 *             positive constant. An average that has no grid of its own takes the operand's only where a product with
 *             codes as weights would stay in float without
 * Formula:    round(move(x)) = move(round(x)); codes of k * x on k * s are those of x on s
 */
export const propagateScales: Pass = {
  name: 'propagate-scales',
  doc: 'grids pass through ops that only move data, both ways, to a fixpoint',
  numbers: 'exact',
  run(graph, patch, { ops }) {
    const links = linksOf(graph);
    const hops = graph.nodes.flatMap((node) => hopOf(links, ops, node) ?? []);
    const backwards = [...hops].reverse();
    for (let round = 0, before = -1; patch.count > before; round++) {
      if (round > hops.length + 1) throw internalError('propagate-scales does not come to an end');
      before = patch.count;
      for (const hop of hops) giveResult(graph, hop, patch);
      for (const hop of backwards) giveOperands(links, hop, patch);
    }
  },
};

/** A node that grids pass through: its scale over that of its operands, and whether they pass backwards too. */
interface Hop {
  readonly node: Node;
  readonly operands: readonly Value[];
  readonly factor: number;
  readonly backwards: boolean;
}

function hopOf(links: Links, ops: OpTable, node: Node): Hop | null {
  const { graph } = links;
  if (movesData(ops, node)) return { node, operands: dataInputs(graph, node), factor: 1, backwards: true };
  const [a, b] = node.op === 'elementwise_mul' ? [graph.input(node, 0), graph.input(node, 1)] : [];
  if (a && b && !node.attrs.activation)
    for (const [x, k] of [
      [a, b],
      [b, a],
    ] as const) {
      const factor = k.data && !k.type.quant && k.data.data.length === 1 ? Number(k.data.data[0]) : 0;
      if (factor > 0 && Number.isFinite(factor) && !x.data) return { node, operands: [x], factor, backwards: true };
    }
  if (node.op === 'pool2d' && readersOf(links, graph.output(node).id).some((r) => wantsCodes(graph, r.node, r.slot)))
    return { node, operands: [graph.input(node, 0)], factor: 1, backwards: false };
  return null;
}

/** Whether a node is a product with codes as weights, and reads its operand through the slot. */
const wantsCodes = (graph: Graph, node: Node, slot: number): boolean =>
  slot === 0 && PRODUCTS.has(node.op) && graph.input(node, 1).type.quant !== undefined;

function giveResult(graph: Graph, { node, operands, factor }: Hop, patch: Patch): void {
  const out = graph.output(node);
  const quant = commonGrid(operands);
  if (!quant || quant.axis !== null || out.type.quant || out.type.dtype !== 'f32') return;
  const source = `"${operands[0]?.name}" through ${node.op} (${node.id})`;
  patch.retype(out.id, { ...out.type, quant: timesScale(quant, factor) }, 'quant', source);
}

function giveOperands(links: Links, { node, operands, factor, backwards }: Hop, patch: Patch): void {
  const { graph } = links;
  const out = graph.output(node);
  const { quant } = out.type;
  const open = operands.filter((v) => !v.type.quant);
  if (!backwards || !quant || quant.axis !== null) return;
  if (!open.every((v) => v.type.dtype === 'f32' && isAlone(links, v))) return;
  const source = `"${out.name}" through ${node.op} (${node.id})`;
  for (const v of open) patch.retype(v.id, { ...v.type, quant: timesScale(quant, 1 / factor) }, 'quant', source);
}

/** The grid of numbers that are a factor times as large. */
const timesScale = (q: Quant, factor: number): Quant =>
  factor === 1 ? q : { ...q, scales: q.scales.map((s) => scaleOf(q, s * factor)) };

const isAlone = (links: Links, v: Value): boolean =>
  readersOf(links, v.id).length === 1 && !links.graph.isResult(v.id) && !v.data;

function commonGrid(values: readonly Value[]): Quant | undefined {
  const first = values[0]?.type.quant;
  return first && values.every((v) => sameQuant(v.type.quant, first)) ? first : undefined;
}
