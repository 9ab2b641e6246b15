import type { Value } from '../ir/graph.js';
import { f32 } from '../ir/tensor.js';
import type { PaddleContext, PaddleImporter } from './import-context.js';
import { binary, inNchw, isChannelsLast, reshape, tail } from './import-paddle.js';
import { normalizeAxis, show } from './shapes.js';

const epsilonOf = (context: PaddleContext, name = 'epsilon', fallback = 1e-5): number =>
  Math.fround(context.attrs.float(name, fallback));

/** Scale and bias of a norm, where it has them, in a shape that broadcasts to its result. */
function affine(context: PaddleContext, x: Value, shape: readonly number[]): Value {
  const [scale, bias] = [context.optional('Scale'), context.optional('Bias')];
  const scaled = scale ? binary(context, 'elementwise_mul', x, reshape(context, scale, shape)) : x;
  return bias ? binary(context, 'elementwise_add', scaled, reshape(context, bias, shape)) : scaled;
}

const perChannel = (x: Value): number[] => [x.type.shape[1] as number, ...x.type.shape.slice(2).map(() => 1)];

/** Paddle layer_norm: over the dimensions from begin_norm_axis on. */
export const importLayerNorm: PaddleImporter = (context) => {
  const x = context.input('X');
  const { shape } = x.type;
  const first = normalizeAxis(context.attrs.int('begin_norm_axis', 1), shape.length);
  const axes = shape.slice(first).map((_, i) => first + i);
  const normal = context.add('normalize', { axes, epsilon: epsilonOf(context) }, [x]);
  return { Y: affine(context, normal, shape.slice(first)) };
};

/** Paddle instance_norm: over the image of each channel. */
export const importInstanceNorm: PaddleImporter = (context) => {
  const x = context.input('X');
  const axes = x.type.shape.slice(2).map((_, i) => i + 2);
  if (axes.length === 0) throw new Error(`instances of a tensor of shape ${show(x.type.shape)}`);
  const normal = context.add('normalize', { axes, epsilon: epsilonOf(context) }, [x]);
  return { Y: affine(context, normal, perChannel(x)) };
};

/** Paddle group_norm: over groups of channels with their images; scale and bias are per channel. */
export const importGroupNorm: PaddleImporter = (context) => {
  const x = context.input('X');
  const apply = (image: Value): Value => {
    const { shape } = image.type;
    const groups = context.attrs.int('groups', 1);
    const [n, channels] = shape as [number, number];
    if (groups < 1 || channels % groups !== 0) throw new Error(`${groups} groups of ${channels} channels`);
    const rows = reshape(context, image, [n, groups, tail(shape, 1) / groups]);
    const normal = context.add('normalize', { axes: [2], epsilon: epsilonOf(context) }, [rows]);
    return affine(context, reshape(context, normal, shape), perChannel(image));
  };
  return { Y: isChannelsLast(context) ? inNchw(context, x, apply) : apply(x) };
};

/** Paddle batch_norm and sync_batch_norm for inference. */
export const importBatchNorm: PaddleImporter = (context) => {
  const x = context.input('X');
  if (!context.attrs.bool('is_test', true) && !context.attrs.bool('use_global_stats', false))
    context.unsupported('batch_norm in training mode', 'Export the model for inference.');
  const parameters = ['Scale', 'Bias', 'Mean', 'Variance'].map((slot) => context.input(slot));
  const apply = (image: Value): Value =>
    context.add('batch_norm', { epsilon: epsilonOf(context) }, [image, ...parameters]);
  const y = isChannelsLast(context) && x.type.shape.length === 4 ? inNchw(context, x, apply) : apply(x);
  return { Y: y };
};

/** Paddle affine_channel: a scale and a bias per channel. */
export const importAffineChannel: PaddleImporter = (context) =>
  inNchw(context, context.input('X'), (x) =>
    context.add('affine_channel', { axis: 1 }, [x, context.input('Scale'), context.input('Bias')]),
  );

/** Paddle norm (l2_normalize): x / sqrt(sum(x^2) + epsilon) along an axis. */
export const importL2Norm: PaddleImporter = (context) => {
  const x = context.input('X');
  const axes = [normalizeAxis(context.attrs.int('axis', -1), x.type.shape.length)];
  const sum = context.add('reduce_sum', { axes, keepDims: true }, [context.add('square', {}, [x])]);
  const raised = binary(
    context,
    'elementwise_add',
    sum,
    context.literal('epsilon', f32([], [epsilonOf(context, 'epsilon', 1e-10)])),
  );
  return { Out: binary(context, 'elementwise_div', x, context.add('sqrt', {}, [raised])) };
};

/** Paddle p_norm for p = 1 and 2: the norm along an axis, or of all elements. */
export const importPNorm: PaddleImporter = (context) => {
  const { attrs } = context;
  const x = context.input('X');
  const p = attrs.float('porder', 2);
  if (p !== 1 && p !== 2) return context.unsupported(`p_norm with porder ${p}`);
  const flat = attrs.bool('asvector', false) ? reshape(context, x, [tail(x.type.shape, 0)]) : x;
  const axes = [normalizeAxis(attrs.bool('asvector', false) ? 0 : attrs.int('axis', -1), flat.type.shape.length)];
  const keepDims = attrs.bool('keepdim', false);
  const sum = context.add('reduce_sum', { axes, keepDims }, [context.add(p === 1 ? 'abs' : 'square', {}, [flat])]);
  const norm = p === 1 ? sum : context.add('sqrt', {}, [sum]);
  return norm;
};
