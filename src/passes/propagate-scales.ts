import type { Graph, Node, Value } from '../ir/graph.js';
import type { Patch } from '../ir/patch.js';
import { type Quant, sameQuant } from '../ir/type.js';
import { internalError } from '../support/errors.js';
import { linksOf } from './match.js';
import { movesData } from './moves-data.js';
import type { Pass, PassContext } from './pass.js';

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
  run(graph, patch, context) {
    for (let round = 0; step(graph, patch, context); round++)
      if (round > graph.nodes.length + 8) throw internalError('propagate-scales does not come to an end');
  },
};

function step(graph: Graph, patch: Patch, { ops }: PassContext): boolean {
  const before = patch.count;
  const { consumers } = linksOf(graph);
  const alone = (v: Value): boolean => (consumers.get(v.id)?.length ?? 0) === 1 && !graph.isOutput(v.id) && !v.data;
  for (const node of graph.nodes) {
    if (!movesData(ops, node)) continue;
    const inputs = dataInputs(graph, node);
    const out = graph.output(node);
    const shared = commonGrid(inputs);
    if (!out.type.quant && shared && shared.axis === null)
      patch.retype(out.id, { ...out.type, quant: shared }, 'quant');
    const quant = out.type.quant;
    if (!quant || quant.axis !== null) continue;
    if (inputs.every((v) => v.type.quant || alone(v)))
      for (const v of inputs)
        if (!v.type.quant && v.type.dtype === 'f32') patch.retype(v.id, { ...v.type, quant }, 'quant');
  }
  return patch.count > before;
}

/** The operands that hold data: all of a concat, the first of the others. */
const dataInputs = (graph: Graph, node: Node): Value[] =>
  node.op === 'concat' ? node.inputs.map((_, i) => graph.input(node, i)) : [graph.input(node, 0)];

function commonGrid(values: readonly Value[]): Quant | undefined {
  const first = values[0]?.type.quant;
  return first && values.every((v) => sameQuant(v.type.quant, first)) ? first : undefined;
}
