import type { Graph, Node } from '../ir/graph.js';
import type { Patch } from '../ir/patch.js';
import { isCodes, type Quant, sameQuant } from '../ir/type.js';
import { linksOf } from './match.js';
import type { Pass } from './pass.js';

/**
 * Before:     c -> dequantize -> quantize -> d; several equal quantizes or requantizes of one value
 * After:      d = c where the grids are equal, else d = requantize(c); one quantize per value and grid
 * Conditions: always
 * Formula:    quantize(dequantize(c)) = c on one grid: |code - zero| < 2^8, so the float32 quotient rounds back
 */
export const squashQuantize: Pass = {
  name: 'squash-quantize',
  doc: 'dequantize + quantize pairs vanish or become requantize; equal quantizes merge',
  numbers: 'exact',
  run(graph, patch) {
    const { producers } = linksOf(graph);
    for (const node of [...graph.nodes]) if (node.op === 'quantize') squash(graph, node, producers, patch);
    patch.rule = 'merge-equal';
    mergeEqual(graph, patch);
  },
};

function squash(graph: Graph, node: Node, producers: ReadonlyMap<number, Node>, patch: Patch): void {
  const source = producers.get(node.inputs[0] as number);
  if (source?.op !== 'dequantize') return;
  const codes = graph.input(source, 0);
  if (codes.data || !isCodes(codes.type)) return;
  const out = graph.output(node);
  patch.rule = 'pair-on-codes';
  if (sameQuant(codes.type.quant, out.type.quant)) {
    patch.replaceValue(out.id, codes.id);
    patch.remove(node, { host: producers.get(codes.id) ?? null, how: 'a rounding to the grid that the value is on' });
  } else {
    node.inputs = [codes.id];
    patch.rewrite(node, 'requantize', { quant: out.type.quant as Quant });
  }
}

function mergeEqual(graph: Graph, patch: Patch): void {
  const first = new Map<string, Node>();
  for (const node of [...graph.nodes]) {
    if (node.op !== 'quantize' && node.op !== 'requantize' && node.op !== 'dequantize') continue;
    const key = `${node.op} ${node.inputs[0]} ${JSON.stringify(graph.output(node).type.quant ?? null)}`;
    const twin = first.get(key);
    if (!twin) {
      first.set(key, node);
      continue;
    }
    patch.replaceValue(graph.output(node).id, graph.output(twin).id);
    patch.remove(node, { host: twin, how: `equal to ${twin.op} (${twin.id})` });
  }
}
