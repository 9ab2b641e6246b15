import type { Attrs, Value } from '../ir/graph.js';
import { allocate, type Tensor } from '../ir/tensor.js';
import { type DType, sizeOf } from '../ir/type.js';
import type { PaddleContext, PaddleImporter } from './import-context.js';
import { normalizeAxis, show } from './shapes.js';

/** An elementwise op of two operands in the graph. */
export const binary = (context: Pick<PaddleContext, 'add'>, op: string, a: Value, b: Value): Value =>
  context.add(op, { activation: null }, [a, b]);

/** A constant of one number in the dtype of another operand. */
export function scalarLike(context: PaddleContext, x: Value, value: number): Value {
  const { dtype } = x.type;
  const data = allocate(dtype, 1);
  data[0] = (dtype === 'i64' ? BigInt(value) : value) as never;
  return context.literal('constant', { type: { dtype, shape: [] }, data } as Tensor);
}

/** The importer of a function of X without attributes that matter, or with those that `attrs` gives. */
export const ofX =
  (op: string, attrs: (context: PaddleContext) => Attrs = () => ({})): PaddleImporter =>
  (context) =>
    context.add(op, attrs(context), [context.input('X')]);

/** A value under a new shape; itself where the shape is the same. */
export const reshape = (context: Pick<PaddleContext, 'add'>, x: Value, shape: readonly number[]): Value =>
  show(shape) === show(x.type.shape) ? x : context.add('reshape2', { shape: [...shape] }, [x]);

/**
 * Y shaped so that numpy's broadcasting against X does what Paddle's `axis` says: dimension 0 of Y lies on dimension
 * `axis` of X (-1: the last ones meet), ones at the end of Y may go over.
 */
function alignedTo(context: PaddleContext, x: Value, y: Value, axis: number): Value {
  const [rank, own] = [x.type.shape.length, y.type.shape];
  if (axis === -1 || own.length >= rank) return y;
  if (axis < 0 || axis >= rank) throw new Error(`axis ${axis} is outside of rank ${rank}`);
  const kept = [...own];
  while (axis + kept.length > rank && kept.at(-1) === 1) kept.pop();
  if (axis + kept.length > rank) throw new Error(`${show(own)} at axis ${axis} of ${show(x.type.shape)}`);
  return reshape(context, y, [...kept, ...new Array<number>(rank - axis - kept.length).fill(1)]);
}

/** The operands of an elementwise op, ready for numpy's broadcasting. */
export function alignedPair(context: PaddleContext): [Value, Value] {
  const [x, y] = [context.input('X'), context.input('Y')];
  const axis = context.attrs.int('axis', -1);
  if (x.type.shape.length < y.type.shape.length) return [alignedTo(context, y, x, axis), y];
  return [x, alignedTo(context, x, y, axis)];
}

/** The importer of an elementwise op. Constants of another integer type take the type of the other operand. */
export const elementwise =
  (op: string): PaddleImporter =>
  (context) => {
    const [x, y] = alignedPair(context);
    const [a, b] = y.data ? [x, context.cast(y, x.type.dtype)] : [x.data ? context.cast(x, y.type.dtype) : x, y];
    return binary(context, op, a, b);
  };

/** Axes of a reduction and the like: all where `all` says so or none are named. */
export function reduceAttrs(context: PaddleContext, x: Value) {
  const { length } = x.type.shape;
  const named = context.attrs.ints('dim', context.attrs.ints('axis', [0]));
  const all = context.attrs.bool('reduce_all', false) || named.length === 0;
  const axes = all ? x.type.shape.map((_, d) => d) : named.map((a) => normalizeAxis(a, length)).sort((a, b) => a - b);
  return { axes, keepDims: context.attrs.bool('keep_dim', context.attrs.bool('keepdim', false)) };
}

/** The importer of a reduction. */
export const reduction =
  (op: string): PaddleImporter =>
  (context) => {
    const x = context.input('X');
    return context.add(op, reduceAttrs(context, x), [x]);
  };

/** Paddle's numbers of data types (VarType.Type) as dtypes; other floats become f32, int16 becomes i32. */
const DATA_TYPES: Readonly<Record<number, DType>> = {
  0: 'bool',
  1: 'i32',
  2: 'i32',
  3: 'i64',
  4: 'f32',
  5: 'f32',
  6: 'f32',
  20: 'u8',
  21: 'i8',
  22: 'f32',
};

/** The dtype behind a number of a data type. */
export const dtypeOf = (context: PaddleContext, dataType: number): DType =>
  DATA_TYPES[dataType] ?? context.unsupported(`data type ${dataType}`);

/** A list of integers: tensors of a slot beat the tensor of another slot, which beats the attribute. */
export function integers(context: PaddleContext, slots: readonly string[], attr: string): number[] {
  for (const slot of slots) {
    const values = context.numbers(slot);
    if (values) return values;
  }
  return context.attrs.ints(attr, []);
}

/** Whether a layout attribute says that channels come last. */
export function isChannelsLast(context: PaddleContext): boolean {
  const layout = context.attrs.string('data_format', context.attrs.string('data_layout', 'NCHW'));
  if (['NHWC', 'NLC'].includes(layout)) return true;
  return ['NCHW', 'NCL', 'NC', 'AnyLayout', ''].includes(layout) ? false : context.unsupported(`layout "${layout}"`);
}

/** Applies an op of NCHW to X of any layout, and gives the result in that layout. */
export function inNchw(context: PaddleContext, x: Value, apply: (x: Value) => Value): Value {
  if (x.type.shape.length !== 4) context.unsupported(`${context.type} of a tensor of shape ${show(x.type.shape)}`);
  if (!isChannelsLast(context)) return apply(x);
  const y = apply(context.add('transpose2', { perm: [0, 3, 1, 2] }, [x]));
  return context.add('transpose2', { perm: [0, 2, 3, 1] }, [y]);
}

/** The size of one output dimension of a window that covers its input from end to end (SAME). */
const samePads = (size: number, ksize: number, stride: number): [number, number] => {
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + ksize - size);
  return [Math.floor(total / 2), total - Math.floor(total / 2)];
};

/**
 * Strides, pads [top, left, bottom, right] and dilations of a convolution or pool over a plane. SAME drops dilations, as
 * Paddle does (UpdatePaddingAndDilation in conv_op.h).
 */
export function windowOf(context: PaddleContext, plane: readonly number[], ksize: readonly number[]) {
  const { attrs } = context;
  const strides = attrs.ints('strides', [1, 1]);
  const dilations = attrs.ints('dilations', [1, 1]);
  const given = attrs.ints('paddings', [0, 0]);
  const algorithm = attrs.string('padding_algorithm', 'EXPLICIT');
  if (strides.length !== 2 || dilations.length !== 2) throw new Error('strides and dilations need two numbers');
  if (algorithm === 'VALID') return { strides, dilations, pads: [0, 0, 0, 0] };
  if (algorithm === 'SAME') {
    const [y, x] = [0, 1].map((d) => samePads(plane[d] as number, ksize[d] as number, strides[d] as number)) as [
      [number, number],
      [number, number],
    ];
    return { strides, dilations: [1, 1], pads: [y[0], x[0], y[1], x[1]] };
  }
  if (algorithm !== 'EXPLICIT') context.unsupported(`padding_algorithm "${algorithm}"`);
  if (given.length !== 2 && given.length !== 4) throw new Error(`paddings ${show(given)}`);
  const [top, bottom, left, right] = given.length === 4 ? given : [given[0], given[0], given[1], given[1]];
  return { strides, dilations, pads: [top, left, bottom, right] as number[] };
}

/** The activation that a fused op ends with. Source: conv2d_fusion and fc of Paddle's fusion passes. */
export function fusedActivation(context: PaddleContext, x: Value, name: string): Value {
  const { attrs } = context;
  const alpha = attrs.float('fuse_alpha', 0);
  switch (name) {
    case '':
    case 'identity':
      return x;
    case 'relu':
    case 'relu6':
    case 'sigmoid':
    case 'tanh':
    case 'gelu':
    case 'mish':
      return context.add(name, {}, [x]);
    case 'swish':
      return context.add('swish', {}, [x]);
    case 'leaky_relu':
      return context.add('leaky_relu', { alpha }, [x]);
    case 'hard_swish':
      return context.add('hard_swish', { threshold: 6, scale: 6, offset: 3 }, [x]);
    case 'hard_sigmoid':
      return context.add('hard_sigmoid', { slope: alpha, offset: attrs.float('fuse_beta', 0) }, [x]);
    case 'clip':
    case 'bounded_relu':
      return context.add('clip', { min: name === 'clip' ? alpha : 0, max: attrs.float('fuse_beta', 6) }, [x]);
    default:
      return context.unsupported(`the fused activation "${name}"`);
  }
}

/** The number of elements of a tensor's shape from a dimension on. */
export const tail = (shape: readonly number[], from: number): number => sizeOf(shape.slice(from));
