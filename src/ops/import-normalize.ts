import type { Value } from '../ir/graph.js';
import { f32 } from '../ir/tensor.js';
import type { ImportContext, OnnxImporter } from './import-context.js';
import { normalizeAxes, normalizeAxis } from './shapes.js';

const pair = (context: ImportContext, op: string, a: Value, b: Value): Value =>
  context.add(op, { activation: null }, [a, b]);

const reshape = (context: ImportContext, x: Value, shape: readonly number[]): Value =>
  context.add('reshape2', { shape: [...shape] }, [x]);

/** x * scale + bias, where there is a bias. */
function affine(context: ImportContext, x: Value, scale: Value, bias: Value | null): Value {
  const scaled = pair(context, 'elementwise_mul', x, scale);
  return bias ? pair(context, 'elementwise_add', scaled, bias) : scaled;
}

const epsilonOf = (context: ImportContext): number => Math.fround(context.attrs.float('epsilon', 1e-5));

/** A parameter per channel, shaped to broadcast to [N, C, ...]. */
const perChannel = (context: ImportContext, v: Value, rank: number): Value =>
  reshape(context, v, [v.type.shape[0] as number, ...new Array<number>(rank - 2).fill(1)]);

/** LayerNormalization: over the last dimensions, from `axis` on; then scale and bias. */
export const importLayerNorm: OnnxImporter = (context) => {
  const x = context.input(0);
  const rank = x.type.shape.length;
  const first = normalizeAxis(context.attrs.int('axis', -1), rank);
  const axes = Array.from({ length: rank - first }, (_, i) => first + i);
  const normal = context.add('normalize', { axes, epsilon: epsilonOf(context) }, [x]);
  const y = affine(context, normal, context.input(1), context.optional(2));
  return context.outputCount > 1 ? [y, ...moments(context, x, axes)] : y;
};

/** ONNX RMSNormalization: over the root of the mean of squares of the last dimensions, from `axis` on; then the scale. */
export const importRmsNorm: OnnxImporter = (context) => {
  const x = context.input(0);
  const rank = x.type.shape.length;
  const first = normalizeAxis(context.attrs.int('axis', -1), rank);
  const axes = Array.from({ length: rank - first }, (_, i) => first + i);
  const mean = context.add('reduce_mean', { axes, keepDims: true }, [context.add('square', {}, [x])]);
  const epsilon = context.literal('epsilon', f32([], [epsilonOf(context)]));
  const root = context.add('sqrt', {}, [pair(context, 'elementwise_add', mean, epsilon)]);
  return pair(context, 'elementwise_mul', pair(context, 'elementwise_div', x, root), context.input(1));
};

/** Mean and 1 / deviation over axes, as LayerNormalization gives them as further outputs. */
function moments(context: ImportContext, x: Value, axes: readonly number[]): Value[] {
  const attrs = { axes, keepDims: true };
  const mean = context.add('reduce_mean', attrs, [x]);
  const square = context.add('square', {}, [pair(context, 'elementwise_sub', x, mean)]);
  const epsilon = context.literal('epsilon', f32([], [epsilonOf(context)]));
  const variance = pair(context, 'elementwise_add', context.add('reduce_mean', attrs, [square]), epsilon);
  return [mean, context.add('reciprocal', {}, [context.add('sqrt', {}, [variance])])];
}

/** InstanceNormalization: over the image of each channel; then scale and bias per channel. */
export const importInstanceNorm: OnnxImporter = (context) => {
  const x = context.input(0);
  const rank = x.type.shape.length;
  if (rank < 3) throw new Error(`instances of a tensor of rank ${rank}`);
  const axes = Array.from({ length: rank - 2 }, (_, i) => i + 2);
  const normal = context.add('normalize', { axes, epsilon: epsilonOf(context) }, [x]);
  const [scale, bias] = [1, 2].map((i) => perChannel(context, context.input(i), rank)) as [Value, Value];
  return affine(context, normal, scale, bias);
};

/** ONNX GroupNormalization: scale and bias are per group in opset 18, per channel from opset 21 on. */
export const importGroupNorm: OnnxImporter = (context) => {
  const x = context.input(0);
  const { shape } = x.type;
  const groups = context.attrs.int('num_groups');
  const [n, channels] = shape as [number, number];
  if (shape.length < 3 || groups < 1 || channels % groups !== 0)
    throw new Error(`${groups} groups of ${channels} channels`);
  const [scale, bias] = [context.input(1), context.input(2)];
  const grouped = reshape(context, x, [n, groups, shape.slice(1).reduce((a, b) => a * b, 1) / groups]);
  const normal = context.add('normalize', { axes: [2], epsilon: epsilonOf(context) }, [grouped]);
  if (scale.type.shape[0] === groups && context.opset < 21) {
    const [s, b] = [scale, bias].map((v) => perChannel(context, v, 3)) as [Value, Value];
    return reshape(context, affine(context, normal, s, b), shape);
  }
  const [s, b] = [scale, bias].map((v) => perChannel(context, v, shape.length)) as [Value, Value];
  return affine(context, reshape(context, normal, shape), s, b);
};

/** MeanVarianceNormalization: over `axes`, without scale and bias. */
export const importMeanVarianceNorm: OnnxImporter = (context) => {
  const x = context.input(0);
  const axes = normalizeAxes(context.attrs.ints('axes', [0, 2, 3]), x.type.shape.length);
  // The specification adds 1e-9 to the deviation; to the variance, its square is what comes closest.
  return context.add('normalize', { axes, epsilon: Math.fround(1e-18) }, [x]);
};

/** LpNormalization: x divided by its norm (p = 1 or 2) along an axis. */
export const importLpNorm: OnnxImporter = (context) => {
  const x = context.input(0);
  const p = context.attrs.int('p', 2);
  if (p !== 1 && p !== 2) return context.unsupported(`LpNormalization with p = ${p}`);
  const attrs = { axes: [normalizeAxis(context.attrs.int('axis', -1), x.type.shape.length)], keepDims: true };
  const sum = context.add('reduce_sum', attrs, [context.add(p === 1 ? 'abs' : 'square', {}, [x])]);
  return pair(context, 'elementwise_div', x, p === 1 ? sum : context.add('sqrt', {}, [sum]));
};
