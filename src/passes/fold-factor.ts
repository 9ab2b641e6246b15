import type { Graph, Node, Value } from '../ir/graph.js';
import type { Patch } from '../ir/patch.js';
import { isCodes, type Quant, sameShape, scaleAt, scaleOf, zeroPointAt } from '../ir/type.js';
import { absorb, isPrivate, type Links, producerOf } from './match.js';

const PRODUCTS = new Set(['conv2d', 'depthwise_conv2d', 'mul']);

/** The factor of every output channel, or null if the operand is no positive constant per tensor or channel. */
function factorsOf(graph: Graph, product: Node, k: Value, divides: boolean): Float64Array | null {
  const out = graph.output(product).type.shape;
  const axis = product.op === 'mul' ? out.length - 1 : 1;
  const channels = out[axis] as number;
  if (!k.data || k.type.quant || k.type.shape.length > out.length) return null;
  const values = Float64Array.from(k.data.data as Float32Array, (v) => (divides ? 1 / v : v));
  if (!values.every((v) => v > 0 && Number.isFinite(v))) return null;
  if (values.length === 1) return new Float64Array(channels).fill(values[0] as number);
  const aligned = out.length - k.type.shape.length;
  const along = k.type.shape.every((d, i) => (i + aligned === axis ? d === channels : d === 1));
  return along && values.length === channels ? values : null;
}

/** The grid with scales times the factors, or null where that is no grid of the filters. */
function scaledGrid(product: Node, w: Value, k: Float64Array): Quant | null {
  const q = w.type.quant;
  const axis = product.op === 'mul' && !product.attrs.transposeWeights ? 1 : 0;
  if (!q || !isCodes(w.type) || (q.axis !== null && q.axis !== axis)) return null;
  const scales = Array.from(k, (v, c) => scaleOf(q, scaleAt(q, c) * v));
  if (!scales.every((s) => s > 0 && Number.isFinite(s))) return null;
  const same = q.axis === null && scales.every((s) => s === scales[0]);
  if (same) return { ...q, scales: [scales[0] as number] };
  return { ...q, axis, scales, zeroPoints: scales.map((_, c) => zeroPointAt(q, c)) };
}

/** y = product(x, w) * k or / k of weights in codes: their scales take a positive constant factor. */
export function foldFactor(links: Links, node: Node, patch: Patch): void {
  const { graph } = links;
  const divides = node.op === 'elementwise_div';
  if ((node.op !== 'elementwise_mul' && !divides) || node.attrs.activation) return;
  for (const slot of divides ? [0] : [0, 1]) {
    const product = producerOf(links, node, slot, PRODUCTS);
    if (!product || !isPrivate(links, product) || product.attrs.activation || product.inputs.length > 2) continue;
    if (!sameShape(graph.output(product).type.shape, graph.output(node).type.shape)) continue;
    const w = graph.input(product, 1);
    const factors = factorsOf(graph, product, graph.input(node, 1 - slot), divides);
    const quant = factors && scaledGrid(product, w, factors);
    if (!w.data || !quant) continue;
    const type = { ...w.type, quant };
    const scaled = patch.addConstant(`${w.name}/scaled`, { type, data: w.data.data });
    if (w.gridSource !== undefined) scaled.gridSource = w.gridSource;
    product.inputs[1] = scaled.id;
    patch.takeOutput(product, node);
    patch.fuse(node, product);
    absorb(links, node, product);
    return;
  }
}
