import type { Graph, Node } from '../ir/graph.js';
import type { Patch } from '../ir/patch.js';
import { f32, rowMajorStrides, type Tensor } from '../ir/tensor.js';
import { isCodes, type Quant, scaleAt, scaleOf, zeroPointAt } from '../ir/type.js';
import { toReal } from '../quant/tensors.js';
import { foldFactor } from './fold-factor.js';
import { filterAxis } from './int8-rules.js';
import { absorb, isPrivate, linksOf, producerOf } from './match.js';
import { normalizationOf } from './normalization.js';
import type { Pass } from './pass.js';

const CONVOLUTIONS = new Set(['conv2d', 'depthwise_conv2d', 'conv2d_transpose']);

/**
 * Before:     y = conv(x, w, b) * k + shift per channel (batch_norm, affine_channel), or a product of x and codes times or
 *             over a constant (fold-factor.ts)
 * After:      y = conv(x, w', b')
 * Conditions: the convolution's result is unrounded and read by nobody else; the new scales are float32 numbers; a
 *             transposed convolution has one group
 * Formula:    codes stay: s_w'[c] = s_w[c] * |k_c|, codes'[c] = codes[c] * sign(k_c) (a code whose negative does not
 *             fit: the codes are widened; where the new scale is 0, codes of zero); float weights: w' = w * k_c. b' = shift + b * k_c
 */
export const foldBatchNorm: Pass = {
  name: 'fold-batch-norm',
  doc: 'normalization goes into the scales and signs of the weights, not into their codes',
  numbers: 'close',
  run(graph, patch) {
    const links = linksOf(graph);
    for (const node of [...graph.nodes]) {
      patch.rule = 'fold-factor';
      foldFactor(links, node, patch);
      patch.rule = 'fold-norm';
      if (node.op !== 'affine_channel' && node.op !== 'batch_norm') continue;
      const conv = producerOf(links, node, 0, CONVOLUTIONS);
      if (!conv || !isPrivate(links, conv) || conv.attrs.activation || graph.optionalInput(conv, 3)) continue;
      if (conv.op === 'conv2d_transpose' && conv.attrs.groups !== 1) continue;
      if (fold(graph, conv, node, patch)) absorb(links, node, conv);
    }
  },
};

function fold(graph: Graph, conv: Node, norm: Node, patch: Patch): boolean {
  const w = graph.input(conv, 1);
  const found = normalizationOf(graph, norm);
  const bias = graph.optionalInput(conv, 2);
  if (!w.data || !found || (bias && !bias.data)) return false;
  const { k: factors, shift } = found;
  const axis = filterAxis(conv);
  const scaled =
    w.type.quant && isCodes(w.type)
      ? scaleCodes(w.data, w.type.quant, factors, axis)
      : scaleReals(w.data, factors, axis);
  if (!scaled) return false;
  const b = bias?.data ? toReal(bias.data).data : null;
  const newBias = Float32Array.from(factors, (kc, c) => (shift[c] as number) + (b ? Number(b[c]) * kc : 0));
  const folded = patch.addConstant(`${w.name}/folded`, scaled);
  if (w.gridSource !== undefined) folded.gridSource = w.gridSource;
  conv.inputs[1] = folded.id;
  conv.inputs[2] = patch.addConstant(`${w.name}/bias`, f32([newBias.length], newBias)).id;
  patch.takeOutput(conv, norm);
  patch.fuse(norm, conv);
  return true;
}

/** The output channel of every element of weights whose channels run along an axis. */
function channelIn(shape: readonly number[], axis: number): (element: number) => number {
  const [step, extent] = [rowMajorStrides(shape)[axis] as number, shape[axis] as number];
  return (element) => Math.floor(element / step) % extent;
}

/** Float weights times k per output channel. */
function scaleReals(w: Tensor, k: Float64Array, axis: number): Tensor {
  const channel = channelIn(w.type.shape, axis);
  return f32(
    w.type.shape,
    Float32Array.from(w.data as Float32Array, (v, i) => v * (k[channel(i)] as number)),
  );
}

/**
 * Codes with their grid, channels along an axis: scales take |k|, codes the sign. A scale that becomes 0 is left, and its codes become
 * the zero point. Null where a scale leaves float32.
 */
function scaleCodes(w: Tensor, q: Quant, k: Float64Array, axis: number): Tensor | null {
  const scales = Array.from(k, (v, c) => scaleOf(q, scaleAt(q, c) * Math.abs(v)));
  if (!scales.every(Number.isFinite) || (q.axis !== null && q.axis !== axis)) return null;
  const signs = k.map((v, c) => (scales[c] === 0 ? 0 : Math.sign(v)));
  const channel = channelIn(w.type.shape, axis);
  const codes = Int32Array.from(w.data as Int8Array, (v, i) => {
    const z = zeroPointAt(q, channel(i));
    return z + (v - z) * (signs[channel(i)] as number);
  });
  const fits = codes.every((v) => v >= q.min && v <= q.max);
  const dtype = fits ? q.dtype : 'i32';
  const quant: Quant = {
    ...q,
    dtype,
    axis,
    scales: scales.map((s, c) => (s === 0 ? scaleAt(q, c) : s)),
    zeroPoints: Array.from(k, (_, c) => zeroPointAt(q, c)),
    min: fits ? q.min : -512,
    max: fits ? q.max : 511,
  };
  const data = dtype === 'i8' ? Int8Array.from(codes) : dtype === 'u8' ? Uint8Array.from(codes) : codes;
  return { type: { dtype, shape: w.type.shape, quant }, data };
}
