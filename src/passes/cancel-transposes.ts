import type { Graph, Node } from '../ir/graph.js';
import type { Patch } from '../ir/patch.js';
import { sameType } from '../ir/type.js';
import { forget, type Links, moveReaders, producerOf, readersOf } from './match.js';

const TRANSPOSE = new Set(['transpose2']);
const QUANTIZE = new Set(['quantize']);
const DEQUANTIZE = new Set(['dequantize']);

/** Whether the second of two transposes takes back what the first does. */
const cancels = (first: Node, second: Node): boolean => {
  const [a, b] = [first, second].map((node) => node.attrs.perm as readonly number[]) as [number[], number[]];
  return a.length === b.length && b.every((d, i) => a[d] === i);
};

/**
 * Two transposes that cancel, side by side or with a rounding of equal steps between them, which does not care for the
 * order of elements: converters write them around everything that they take to be channels last.
 */
export function cancelTransposes(graph: Graph, node: Node, patch: Patch, links: Links): void {
  const dequantize = producerOf(links, node, 0, DEQUANTIZE);
  const quantize = dequantize && producerOf(links, dequantize, 0, QUANTIZE);
  const first = producerOf(links, quantize ?? node, 0, TRANSPOSE);
  if (!first || !cancels(first, node)) return;
  const x = graph.input(first, 0);
  const [passed, y] = [graph.output(first), graph.output(node)];
  if (quantize && dequantize) {
    const codes = graph.output(quantize);
    if (codes.type.quant?.axis !== null) return;
    const type = { ...codes.type, shape: x.type.shape };
    const { attrs, origin } = quantize;
    const rounded = patch.addNode({ op: 'quantize', attrs, inputs: [x.id], outputs: [{ type }], origin }, node);
    const reals = patch.addNode(
      {
        op: 'dequantize',
        inputs: [graph.output(rounded).id],
        outputs: [{ type: y.type }],
        origin: dequantize.origin,
      },
      node,
    );
    for (const added of [rounded, reals]) links.producers.set(graph.output(added).id, added);
    links.consumers.set(x.id, [...readersOf(links, x.id), { node: rounded, slot: 0 }]);
    patch.replaceValue(y.id, graph.output(reals).id);
    moveReaders(links, y.id, graph.output(reals).id);
  } else {
    if (!sameType(x.type, y.type) || !sameType({ ...passed.type, shape: x.type.shape }, x.type)) return;
    patch.replaceValue(y.id, x.id);
    moveReaders(links, y.id, x.id);
  }
  const how = `takes ${first.op} (${first.id}) back`;
  for (const gone of [node, dequantize, quantize, first]) if (gone && !removeUnread(links, gone, patch, how)) return;
}

/** Removes a node that nobody reads any more. */
function removeUnread(links: Links, node: Node, patch: Patch, how: string): boolean {
  const unread = node.outputs.every((id) => readersOf(links, id).length === 0 && !links.graph.isOutput(id));
  if (!unread) return false;
  forget(links, node);
  patch.remove(node, { host: null, how });
  return true;
}
