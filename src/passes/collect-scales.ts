import type { Graph, Node } from '../ir/graph.js';
import type { Patch } from '../ir/patch.js';
import type { Quant } from '../ir/type.js';
import { linksOf, onlyReader } from './match.js';
import type { Pass } from './pass.js';

/**
 * Before:     q = quantize(x), [c = clip(q, lo, hi)], d = dequantize(q or c); d has no grid
 * After:      the grid stands in the type of d, narrowed by the clip, which is gone
 * Conditions: the codes are computed (constants are handled by strip-fake-quant); a clip is their only reader, and
 *             leaves a range that holds the zero point
 * Formula:    the grid is that of the codes: real = (code - zero) * scale
 */
export const collectScales: Pass = {
  name: 'collect-scales',
  doc: 'scales of every quantize/dequantize pair go into the types of the values',
  numbers: 'exact',
  run(graph, patch) {
    patch.rule = 'narrow-by-clip';
    narrowByClip(graph, patch);
    const producers = graph.producers();
    patch.rule = 'grid-of-pair';
    for (const node of graph.nodes) {
      if (node.op !== 'dequantize') continue;
      const codes = graph.input(node, 0);
      const real = graph.output(node);
      if (codes.data || !codes.type.quant || real.type.quant) continue;
      const made = producers.get(codes.id);
      patch.retype(real.id, { ...real.type, quant: codes.type.quant }, 'quant', made && sourceOf(made));
    }
  },
};

/** Where a grid comes from: the op of the source that quantizes. */
export const sourceOf = ({ id, origin }: Node): string => `${origin.type} (${id})`;

/** PyTorch writes 7-bit ranges as a clip on the codes: it becomes the bounds of the grid. */
function narrowByClip(graph: Graph, patch: Patch): void {
  const links = linksOf(graph);
  for (const node of [...graph.nodes]) {
    if (node.op !== 'clip' || !node.attrs.onCodes) continue;
    const source = links.producers.get(node.inputs[0] as number);
    const { type } = graph.input(node, 0);
    if (source?.op !== 'quantize' || !type.quant) continue;
    const narrow = boundedBy(type.quant, node);
    const codes = graph.output(source);
    if (!onlyReader(links, codes.id) || narrow.zeroPoints.some((z) => z < narrow.min || z > narrow.max)) continue;
    patch.retype(codes.id, { ...type, quant: narrow }, 'quant');
    patch.rewrite(source, 'quantize', { ...source.attrs, quant: narrow });
    patch.replaceValue(graph.output(node).id, codes.id, 'quant');
    patch.remove(node, { host: source, how: `bounds of ${source.op} (${source.id})` });
  }
}

const boundedBy = (quant: Quant, clip: Node): Quant => ({
  ...quant,
  min: Math.max(quant.min, Number(clip.attrs.min ?? quant.min)),
  max: Math.min(quant.max, Number(clip.attrs.max ?? quant.max)),
});
