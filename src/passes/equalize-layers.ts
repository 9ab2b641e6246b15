import type { Graph, Node, Value } from '../ir/graph.js';
import type { Patch } from '../ir/patch.js';
import { f32, type Tensor } from '../ir/tensor.js';
import { sizeOf } from '../ir/type.js';
import { type Activation, clampBounds } from '../quant/activation.js';
import { type Links, linksOf, readersOf } from './match.js';
import type { Pass } from './pass.js';

const CONVOLUTIONS = new Set(['conv2d', 'depthwise_conv2d']);

/** Sweeps over all pairs, and the change of a factor (relative) below which the last one was the last. */
const [SWEEPS, SETTLED] = [100, 1e-4];
/** Factors stay where float32 weights keep their precision. */
const MOST = 2 ** 20;

/**
 * Before:     y = conv(act(conv(x, w1, b1)), w2, b2), float
 * After:      y = conv(act(conv(x, w1 / s, b1 / s)), w2 * s, b2), s per channel between the two
 * Conditions: nobody else reads what lies between, and it is no output of the model; the first convolution adds no
 *             residual; act(k x) = k act(x) for k > 0: none, relu, leaky_relu. relu6 and other bounds would have to move
 *             with s: they stay as they are, unless the sums provably do not reach them; then they become relu
 * Formula:    s[c] = sqrt(r1[c] * r2[c]) / r2[c], r1[c] = max(|w1|, |b1|) over output channel c, r2[c] = max|w2| over input
 *             channel c; all pairs in turn until no factor changes. 1 where a channel is all zeros. Source: Nagel et al.,
 *             "Data-free quantization through weight equalization and bias correction", 2019. There r1 is max|w1|: a channel
 *             of small weights and a large bias then swells until it is all that the grid of the value between can hold
 */
export const equalizeLayers: Pass = {
  name: 'equalize-layers',
  doc: 'channels between two convolutions are scaled so that the weights on both sides have equal ranges',
  numbers: 'close',
  run(graph, patch) {
    const links = linksOf(graph);
    const pairs = graph.nodes.flatMap((node) => pairOf(links, node, patch) ?? []);
    if (pairs.length === 0) return;
    const factors = settle(graph, pairs);
    for (const node of new Set(pairs.flatMap(({ first, second }) => [first, second])))
      scale(graph, patch, node, factors.get(node.inputs[0] as number), factors.get(graph.output(node).id));
  },
};

/** Two convolutions and the value between them. */
interface Pair {
  readonly first: Node;
  readonly second: Node;
  readonly between: Value;
}

function pairOf(links: Links, first: Node, patch: Patch): Pair | null {
  const { graph } = links;
  if (!CONVOLUTIONS.has(first.op) || !hasFloatWeights(graph, first) || graph.optionalInput(first, 3)) return null;
  const between = graph.output(first);
  const [reader, ...others] = readersOf(links, between.id);
  // A tap does not hold the pass up: it shows the values as the network has them then.
  if (!reader || others.length > 0 || reader.slot !== 0 || graph.isResult(between.id) || between.type.quant)
    return null;
  if (!CONVOLUTIONS.has(reader.node.op) || !hasFloatWeights(graph, reader.node)) return null;
  if (!scalesWithInput(links, first, patch)) return null;
  return { first, second: reader.node, between };
}

function hasFloatWeights(graph: Graph, node: Node): boolean {
  const [w, b] = [graph.input(node, 1), graph.optionalInput(node, 2)];
  const isFloat = (v: Value): boolean => v.data !== undefined && v.type.dtype === 'f32' && !v.type.quant;
  return isFloat(w) && (!b || isFloat(b));
}

/** Whether act(k x) = k act(x) for positive k; bounds that the sums do not reach are taken away. */
function scalesWithInput(links: Links, node: Node, patch: Patch): boolean {
  const activation = (node.attrs.activation ?? null) as Activation | null;
  if (!activation || activation.kind === 'relu' || activation.kind === 'leaky_relu') return true;
  const bounds = clampBounds(activation);
  if (!bounds || bounds[0] !== 0 || greatestSum(links, node) > bounds[1]) return false;
  patch.rewrite(node, node.op, { ...node.attrs, activation: { kind: 'relu' } });
  return true;
}

/** What no sum of a convolution exceeds, from the bounds of the activation in front of it; infinite where it has none. */
function greatestSum({ graph, producers }: Links, node: Node): number {
  const producer = producers.get(node.inputs[0] as number);
  const activation = (producer?.attrs.activation ?? null) as Activation | null;
  const [least, most] = (activation && clampBounds(activation)) ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const [lo, hi] = [Math.min(least, 0), Math.max(most, 0)]; // padding is 0
  const { data, type } = graph.input(node, 1).data as Tensor;
  const bias = graph.optionalInput(node, 2)?.data?.data;
  const size = sizeOf(type.shape.slice(1));
  let greatest = Number.NEGATIVE_INFINITY;
  for (let c = 0; c * size < data.length; c++) {
    let sum = Number(bias?.[c] ?? 0);
    for (let i = c * size; i < (c + 1) * size; i++) {
      const w = Number(data[i]);
      if (w !== 0) sum += w * (w > 0 ? hi : lo);
    }
    greatest = Math.max(greatest, sum);
  }
  return greatest * (1 + 1e-5); // float32 sums may end up a little higher
}

/** For each element of a convolution's weights the channel of its operand and the channel of its result. */
function eachWeight(node: Node, shape: readonly number[], see: (at: number, from: number, to: number) => void): void {
  const [channels, inner] = shape as [number, number];
  const size = sizeOf(shape.slice(2));
  const perGroup = channels / (node.attrs.groups as number);
  for (let to = 0, at = 0; to < channels; to++)
    for (let i = 0; i < inner; i++) {
      const from = Math.floor(to / perGroup) * inner + i;
      for (let k = 0; k < size; k++) see(at++, from, to);
    }
}

/** Per value between a pair, what its channels are divided by. */
function settle(graph: Graph, pairs: readonly Pair[]): Map<number, Float64Array> {
  const factors = new Map(pairs.map(({ between }) => [between.id, new Float64Array(channelsOf(between)).fill(1)]));
  const ranges = new Map(pairs.flatMap(({ first, second }) => [first, second]).map((n) => [n, rangesOf(graph, n)]));
  for (let sweep = 0, moved = true; moved && sweep < SWEEPS; sweep++) {
    moved = false;
    for (const { first, second, between } of pairs) {
      const bias = graph.optionalInput(first, 2)?.data?.data;
      const s = factors.get(between.id) as Float64Array;
      const into = factors.get(first.inputs[0] as number);
      const out = factors.get(graph.output(second).id);
      const r1 = maxima(ranges.get(first) as Ranges, 'to', into, s);
      const r2 = maxima(ranges.get(second) as Ranges, 'from', s, out);
      for (let c = 0; c < s.length; c++) {
        const a = Math.max(r1[c] as number, Math.abs(Number(bias?.[c] ?? 0)) / (s[c] as number));
        const b = r2[c] as number;
        if (!(a > 0 && b > 0)) continue;
        const wanted = (s[c] as number) * (Math.sqrt(a * b) / b);
        const next = Math.min(Math.max(wanted, 1 / MOST), MOST);
        if (Math.abs(next / (s[c] as number) - 1) > SETTLED) moved = true;
        s[c] = next;
      }
    }
  }
  return factors;
}

/** The greatest |w| for every pair of an operand's channel and a result's channel that a weight joins. */
interface Ranges {
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly most: Float64Array;
}

function rangesOf(graph: Graph, node: Node): Ranges {
  const { data, type } = graph.input(node, 1).data as Tensor;
  const count = (type.shape[0] as number) * (type.shape[1] as number);
  const size = data.length / count;
  const ranges = { from: new Int32Array(count), to: new Int32Array(count), most: new Float64Array(count) };
  eachWeight(node, type.shape, (at, from, to) => {
    const i = Math.floor(at / size);
    ranges.from[i] = from;
    ranges.to[i] = to;
    ranges.most[i] = Math.max(ranges.most[i] as number, Math.abs(Number(data[at])));
  });
  return ranges;
}

/** The greatest |w| per channel of the operand or of the result, with the factors on both sides. */
function maxima(
  { from, to, most }: Ranges,
  side: 'from' | 'to',
  into: Float64Array | undefined,
  out: Float64Array | undefined,
): Float64Array {
  const channel = side === 'from' ? from : to;
  const result = new Float64Array(channel.reduce((a, b) => Math.max(a, b), 0) + 1);
  for (let i = 0; i < most.length; i++) {
    const w = ((most[i] as number) * (into?.[from[i] as number] ?? 1)) / (out?.[to[i] as number] ?? 1);
    const c = channel[i] as number;
    if (w > (result[c] as number)) result[c] = w;
  }
  return result;
}

const channelsOf = (value: Value): number => value.type.shape[1] as number;

/** Gives a convolution the weights and the bias for an operand that was divided by `into` and a result divided by `out`. */
function scale(
  graph: Graph,
  patch: Patch,
  node: Node,
  into: Float64Array | undefined,
  out: Float64Array | undefined,
): void {
  const [w, bias] = [graph.input(node, 1), graph.optionalInput(node, 2)];
  const { data, type } = w.data as Tensor;
  const scaled = new Float32Array(data.length);
  eachWeight(node, type.shape, (at, from, to) => {
    scaled[at] = (Number(data[at]) * (into?.[from] ?? 1)) / (out?.[to] ?? 1);
  });
  patch.setInput(node, 1, patch.addConstant(`${w.name}/equalized`, f32(type.shape, scaled)).id);
  if (!bias || !out) return;
  const shifted = Float32Array.from((bias.data as Tensor).data as Float32Array, (b, c) => b / (out[c] as number));
  patch.setInput(node, 2, patch.addConstant(`${bias.name}/equalized`, f32([shifted.length], shifted)).id);
}
