/** Paddle's ops that give data another shape or move it. */
import type { Value } from '../ir/graph.js';
import { allocate, f32, type Tensor } from '../ir/tensor.js';
import { type DType, sizeOf } from '../ir/type.js';
import type { PaddleContext, PaddleImporter } from './import-context.js';
import { binary, dtypeOf, integers, reshape } from './import-paddle.js';
import { normalizeAxis, show } from './shapes.js';

const X = (context: PaddleContext): Value => context.input('X');

/** Paddle reshape: 0 copies a dimension, -1 is what is left. ShapeTensor beats Shape beats the attribute. */
export const importReshape: PaddleImporter = (context) => {
  const x = X(context);
  const wanted = integers(context, ['ShapeTensor', 'Shape'], 'shape');
  const shape = wanted.map((d, i) => (d === 0 ? (x.type.shape[i] ?? Number.NaN) : d));
  const known = sizeOf(shape.filter((d) => d !== -1));
  const result = shape.map((d) => (d === -1 ? sizeOf(x.type.shape) / known : d));
  if (
    shape.filter((d) => d === -1).length > 1 ||
    !result.every((d) => Number.isInteger(d) && d >= 0) ||
    sizeOf(result) !== sizeOf(x.type.shape)
  )
    throw new Error(`${show(x.type.shape)} cannot take the shape ${show(wanted)}`);
  return { Out: reshape(context, x, result) };
};

/** Paddle squeeze: named dimensions of size 1 go (others named stay), or all of size 1. */
export const importSqueeze: PaddleImporter = (context) => {
  const x = X(context);
  const axes = context.attrs.ints('axes', []).map((a) => normalizeAxis(a, x.type.shape.length));
  const goes = (d: number, i: number): boolean => d === 1 && (axes.length === 0 || axes.includes(i));
  return {
    Out: reshape(
      context,
      x,
      x.type.shape.filter((d, i) => !goes(d, i)),
    ),
  };
};

/** Paddle unsqueeze: dimensions of size 1 come in one after the other. */
export const importUnsqueeze: PaddleImporter = (context) => {
  const x = X(context);
  const shape = [...x.type.shape];
  for (const axis of integers(context, ['AxesTensorList', 'AxesTensor'], 'axes'))
    shape.splice(normalizeAxis(axis, shape.length + 1), 0, 1);
  return { Out: reshape(context, x, shape) };
};

/** Paddle flatten: to a matrix, the dimensions before `axis` are its rows. */
export const importFlatten: PaddleImporter = (context) => {
  const x = X(context);
  const axis = context.attrs.int('axis', 1);
  return { Out: reshape(context, x, [sizeOf(x.type.shape.slice(0, axis)), sizeOf(x.type.shape.slice(axis))]) };
};

/** Paddle flatten_contiguous_range: dimensions start_axis to stop_axis become one. */
export const importFlattenRange: PaddleImporter = (context) => {
  const x = X(context);
  const { shape } = x.type;
  const rank = Math.max(shape.length, 1);
  const start = normalizeAxis(context.attrs.int('start_axis', 1), rank);
  const stop = normalizeAxis(context.attrs.int('stop_axis', -1), rank);
  if (stop < start) throw new Error(`dimensions ${start} to ${stop}`);
  const middle = sizeOf(shape.slice(start, stop + 1));
  return { Out: reshape(context, x, [...shape.slice(0, start), middle, ...shape.slice(stop + 1)]) };
};

/** Paddle transpose. */
export const importTranspose: PaddleImporter = (context) => ({
  Out: context.add('transpose2', { perm: context.attrs.ints('axis') }, [X(context)]),
});

/** Paddle shape: sizes are static, so it is a constant of int32. */
export const importShape: PaddleImporter = (context) => {
  const { shape } = context.input('Input').type;
  return context.literal('shape', { type: { dtype: 'i32', shape: [shape.length] }, data: Int32Array.from(shape) });
};

/** Paddle slice and strided_slice: ranges along axes; dimensions of decrease_axis go. */
export const importSlice: PaddleImporter = (context) => {
  const { attrs } = context;
  const x = context.input('Input');
  const { shape } = x.type;
  const axes = attrs.ints('axes').map((a) => normalizeAxis(a, shape.length));
  const starts = integers(context, ['StartsTensorList', 'StartsTensor'], 'starts');
  const ends = integers(context, ['EndsTensorList', 'EndsTensor'], 'ends');
  const given = integers(context, ['StridesTensorList', 'StridesTensor'], 'strides');
  const steps = given.length > 0 ? given : axes.map(() => 1);
  if ([starts, ends, steps].some((l) => l.length !== axes.length)) throw new Error('lists of different lengths');
  const parts = axes.map((axis, i) =>
    range(shape[axis] as number, starts[i] as number, ends[i] as number, steps[i] as number),
  );
  const y = context.add(
    'slice',
    { axes, starts: parts.map((p) => p.start), counts: parts.map((p) => p.count), steps },
    [x],
  );
  const drop = attrs.ints('decrease_axis', []).map((a) => normalizeAxis(a, shape.length));
  const kept = y.type.shape.filter((_, d) => !drop.includes(d));
  // Paddle before 2.5 has no tensors of rank 0.
  return reshape(context, y, kept.length === 0 && drop.length > 0 ? [1] : kept);
};

/** The elements start, start + step, ... before end, as Python takes them. */
function range(size: number, start: number, end: number, step: number): { start: number; count: number } {
  if (step === 0) throw new Error('a step of 0');
  const [least, most] = step > 0 ? [0, size] : [-1, size - 1];
  const place = (i: number): number => Math.min(Math.max(i < 0 ? i + size : i, least), most);
  const [first, last] = [place(start), step < 0 && end < 0 && end + size < 0 ? -1 : place(end)];
  return { start: first, count: Math.max(0, Math.ceil((last - first) / step)) };
}

const part = (context: PaddleContext, x: Value, axis: number, start: number, count: number): Value =>
  context.add('slice', { axes: [axis], starts: [start], counts: [count], steps: [1] }, [x]);

/** Paddle split: into `num` equal parts, or into `sections`, of which one may be -1. */
export const importSplit: PaddleImporter = (context) => {
  const x = X(context);
  const axis = normalizeAxis(context.numbers('AxisTensor')?.[0] ?? context.attrs.int('axis', 0), x.type.shape.length);
  const size = x.type.shape[axis] as number;
  const count = context.outputCount('Out');
  const given = integers(context, ['SectionsTensorList'], 'sections');
  const known = given.filter((n) => n >= 0).reduce((a, b) => a + b, 0);
  const sections =
    given.length > 0 ? given.map((n) => (n < 0 ? size - known : n)) : new Array<number>(count).fill(size / count);
  if (
    sections.length !== count ||
    sections.some((n) => !Number.isInteger(n) || n < 0) ||
    sections.reduce((a, b) => a + b, 0) !== size
  )
    throw new Error(`${size} elements cannot be split into parts of ${show(sections)}`);
  let start = 0;
  return sections.map((n) => {
    start += n;
    return part(context, x, axis, start - n, n);
  });
};

/** Paddle concat. */
export const importConcat: PaddleImporter = (context) => {
  const parts = context.list('X');
  const axis = context.numbers('AxisTensor')?.[0] ?? context.attrs.int('axis', 0);
  return context.add('concat', { axis: normalizeAxis(axis, parts[0]?.type.shape.length ?? 0) }, parts);
};

/** Paddle stack: along a new dimension. */
export const importStack: PaddleImporter = (context) => {
  const parts = context.list('X');
  const axis = normalizeAxis(context.attrs.int('axis', 0), (parts[0]?.type.shape.length ?? 0) + 1);
  const widened = parts.map((x) => reshape(context, x, x.type.shape.toSpliced(axis, 0, 1)));
  return { Y: context.add('concat', { axis }, widened) };
};

/** Paddle unstack and unbind: the slices along a dimension, without it. */
export const importUnstack: PaddleImporter = (context) => {
  const x = X(context);
  const axis = normalizeAxis(context.attrs.int('axis', 0), x.type.shape.length);
  const slices = Array.from({ length: x.type.shape[axis] as number }, (_, i) =>
    reshape(context, part(context, x, axis, i, 1), x.type.shape.toSpliced(axis, 1)),
  );
  return { [context.type === 'unstack' ? 'Y' : 'Out']: slices };
};

/** Paddle expand_v2: to a shape whose -1 keep the dimension. */
export const importExpandV2: PaddleImporter = (context) => {
  const x = X(context);
  const wanted = integers(context, ['expand_shapes_tensor', 'Shape'], 'shape');
  const lead = wanted.length - x.type.shape.length;
  const shape = wanted.map((d, i) => (d === -1 ? (x.type.shape[i - lead] ?? Number.NaN) : d));
  return context.add('expand', { shape }, [x]);
};

/** Paddle expand_as: to the shape of another tensor. */
export const importExpandAs: PaddleImporter = (context) => {
  const like = context.optional('Y') ?? context.optional('target_tensor');
  const shape = like?.type.shape ?? context.attrs.ints('target_shape');
  return context.add('expand', { shape: [...shape] }, [X(context)]);
};

/** Paddle tile, and expand of old versions: repeats per dimension, of the last ones where there are fewer. */
export const importTile: PaddleImporter = (context) => {
  const x = X(context);
  const given =
    context.type === 'expand'
      ? integers(context, ['expand_times_tensor', 'ExpandTimes'], 'expand_times')
      : integers(context, ['repeat_times_tensor', 'RepeatTimes'], 'repeat_times');
  const rank = Math.max(given.length, x.type.shape.length);
  const pad = (list: readonly number[]): number[] => [...new Array<number>(rank - list.length).fill(1), ...list];
  return context.add('tile', { repeats: pad(given) }, [reshape(context, x, pad(x.type.shape))]);
};

/** Paddle gather and index_select: slices along an axis, chosen by a list. */
export const importGather: PaddleImporter = (context) => {
  const x = X(context);
  const axis = context.attrs.int(context.type === 'index_select' ? 'dim' : 'axis', 0);
  const index = context.input('Index');
  const place = normalizeAxis(context.numbers('Axis')?.[0] ?? axis, x.type.shape.length);
  return context.add('gather', { axis: place }, [x, reshape(context, index, [sizeOf(index.type.shape)])]);
};

/** Paddle lookup_table: rows of W by ids; the first version's ids end in a dimension of 1. Rows of padding are 0. */
export const importLookup: PaddleImporter = (context) => {
  const [w, ids] = [context.input('W'), context.input('Ids')];
  const { shape } = ids.type;
  const list = context.type === 'lookup_table' && shape.at(-1) === 1 ? reshape(context, ids, shape.slice(0, -1)) : ids;
  return context.add('gather', { axis: 0 }, [padded(context, w), list]);
};

/** The table with the row of padding_idx, which stands for 0. */
function padded(context: PaddleContext, w: Value): Value {
  const [rows = 0, width = 0] = w.type.shape;
  const index = context.attrs.int('padding_idx', -1);
  if (index === -1) return w;
  const row = normalizeAxis(index, rows);
  if (!w.data || w.type.dtype !== 'f32')
    return context.unsupported('lookup_table with padding_idx in a computed table');
  const data = Float32Array.from(w.data.data as Float32Array).fill(0, row * width, (row + 1) * width);
  return context.literal(w.name, f32(w.type.shape, data));
}

/** Paddle cast. */
export const importCast: PaddleImporter = (context) => {
  const x = X(context);
  const to = dtypeOf(context, context.attrs.int('out_dtype'));
  return x.type.dtype === to ? x : context.add('cast', { to }, [x]);
};

/** X as it is. */
export const importIdentity: PaddleImporter = (context) => {
  const x = X(context);
  return x.data ? x : context.add('assign', {}, [x]);
};

/** Paddle dropout for inference: an identity, or the expected value. */
export const importDropout: PaddleImporter = (context) => {
  const { attrs } = context;
  const x = X(context);
  const factor = 1 - attrs.float('dropout_prob', 0.5);
  if (attrs.string('dropout_implementation', 'downgrade_in_infer') === 'upscale_in_train' || factor === 1)
    return { Out: context.add('assign', {}, [x]) };
  return { Out: binary(context, 'elementwise_mul', x, context.literal('kept', f32([], [factor]))) };
};

/** A constant of one repeated number. */
function filled(context: PaddleContext, shape: readonly number[], dtype: DType, value: number): Value {
  if (shape.some((d) => d < 0) || sizeOf(shape) > 2 ** 26) throw new Error(`a constant of shape ${show(shape)}`);
  const data = allocate(dtype, sizeOf(shape));
  if (data instanceof BigInt64Array) data.fill(BigInt(Math.trunc(value)));
  else data.fill(value);
  return context.literal('constant', { type: { dtype, shape }, data } as Tensor);
}

/** The number of a fill: a tensor beats the text beats the number. */
function fillValue(context: PaddleContext): number {
  const text = context.attrs.string('str_value', '');
  return (
    context.numbers('ValueTensor')?.[0] ??
    (text === '' ? context.attrs.float('value', 0) : Number(text.replace(/^(-?)inf.*/i, '$1Infinity')))
  );
}

/** Paddle fill_constant. */
export const importFillConstant: PaddleImporter = (context) =>
  filled(
    context,
    integers(context, ['ShapeTensorList', 'ShapeTensor'], 'shape'),
    dtypeOf(context, context.attrs.int('dtype', 5)),
    fillValue(context),
  );

/** Paddle fill_constant_batch_size_like: one size is taken from another tensor. */
export const importFillLike: PaddleImporter = (context) => {
  const { attrs } = context;
  const shape = attrs.ints('shape');
  shape[attrs.int('output_dim_idx', 0)] = context.input('Input').type.shape[attrs.int('input_dim_idx', 0)] as number;
  return filled(context, shape, dtypeOf(context, attrs.int('dtype', 5)), fillValue(context));
};

/** Paddle fill_any_like and fill_zeros_like: the shape of X, its dtype unless another is named. */
export const importFillAnyLike: PaddleImporter = (context) => {
  const x = X(context);
  const named = context.attrs.int('dtype', -1);
  const dtype = named < 0 || context.type === 'fill_zeros_like' ? x.type.dtype : dtypeOf(context, named);
  return filled(context, x.type.shape, dtype, context.type === 'fill_zeros_like' ? 0 : context.attrs.float('value', 0));
};

/** Paddle assign_value: numbers written in the program. */
export const importAssignValue: PaddleImporter = (context) => {
  const { attrs } = context;
  const dtype = dtypeOf(context, attrs.int('dtype'));
  const lists = ['fp32_values', 'int32_values', 'int64_values', 'bool_values', 'values', 'fp64_values'];
  const list = lists.map((name) => attrs.floats(name, [])).find((l) => l.length > 0) ?? [];
  const shape = attrs.ints('shape');
  const data = allocate(dtype, list.length);
  list.forEach((v, i) => {
    data[i] = (dtype === 'i64' ? BigInt(v) : v) as never;
  });
  if (sizeOf(shape) !== list.length) throw new Error(`${list.length} values for ${show(shape)}`);
  return context.literal('constant', { type: { dtype, shape }, data } as Tensor);
};

/** Paddle range: start, start + step, ... before end, all constant. */
export const importRange: PaddleImporter = (context) => {
  const [start, end, step] = ['Start', 'End', 'Step'].map((slot) => context.numbers(slot)?.[0] ?? Number.NaN) as [
    number,
    number,
    number,
  ];
  const { dtype } = context.input('Start').type;
  const count = Math.max(0, Math.ceil((end - start) / step));
  if (!(count <= 2 ** 20)) throw new Error(`a range of ${count} numbers`);
  const data = allocate(dtype, count);
  for (let i = 0; i < count; i++) data[i] = (dtype === 'i64' ? BigInt(start + i * step) : start + i * step) as never;
  return context.literal('range', { type: { dtype, shape: [count] }, data } as Tensor);
};

/** Paddle pixel_shuffle: depth to space, channels in the order of PyTorch. */
export const importPixelShuffle: PaddleImporter = (context) => {
  const x = X(context);
  const r = context.attrs.int('upscale_factor', 1);
  const [n, c, h, w] = x.type.shape as [number, number, number, number];
  if (context.attrs.string('data_format', 'NCHW') !== 'NCHW') context.unsupported('pixel_shuffle with channels last');
  if (r < 1 || c % (r * r) !== 0) throw new Error(`${c} channels by ${r}`);
  const cells = reshape(context, x, [n, c / (r * r), r, r, h, w]);
  const moved = context.add('transpose2', { perm: [0, 1, 4, 2, 5, 3] }, [cells]);
  return reshape(context, moved, [n, c / (r * r), h * r, w * r]);
};

/** Paddle shuffle_channel: groups and their members change places. */
export const importShuffleChannel: PaddleImporter = (context) => {
  const x = X(context);
  const [n, c, h, w] = x.type.shape as [number, number, number, number];
  const group = context.attrs.int('group', 1);
  const cells = reshape(context, x, [n, group, c / group, h, w]);
  return reshape(context, context.add('transpose2', { perm: [0, 2, 1, 3, 4] }, [cells]), [n, c, h, w]);
};

/** Paddle softmax and log_softmax. */
export const importSoftmax: PaddleImporter = (context) => {
  const x = X(context);
  const axis = normalizeAxis(context.attrs.int('axis', -1), x.type.shape.length);
  if (context.type === 'softmax') return context.add('softmax', { axis }, [x]);
  const attrs = { axes: [axis], keepDims: true };
  const shifted = binary(context, 'elementwise_sub', x, context.add('reduce_max', attrs, [x]));
  const sum = context.add('reduce_sum', attrs, [context.add('exp', {}, [shifted])]);
  return binary(context, 'elementwise_sub', shifted, context.add('log', {}, [sum]));
};

/** Paddle top_k and top_k_v2. */
export const importTopK: PaddleImporter = (context) => {
  const { attrs } = context;
  const x = X(context);
  const k = context.numbers('K')?.[0] ?? attrs.int('k', 1);
  const axis = normalizeAxis(attrs.int('axis', -1), x.type.shape.length);
  const [values, indices] = context.addMany('top_k', { axis, k, largest: attrs.bool('largest', true) }, [x]) as [
    Value,
    Value,
  ];
  return { Out: values, Indices: indices };
};

/** Paddle prelu: one slope, one per channel, or one per element. */
export const importPrelu: PaddleImporter = (context) => {
  const [x, alpha] = [X(context), context.input('Alpha')];
  const mode = context.attrs.string('mode', 'all');
  const { shape } = x.type;
  const n = sizeOf(alpha.type.shape);
  if (mode === 'all' && alpha.data && n === 1)
    return context.add('leaky_relu', { alpha: Number(alpha.data.data[0]) }, [x]);
  const last = context.attrs.string('data_format', 'NCHW') === 'NHWC';
  const channel = last ? [n] : [n, ...shape.slice(2).map(() => 1)];
  const slope = mode === 'channel' ? channel : mode === 'all' ? [] : [1, ...shape.slice(1)];
  return binary(context, 'prelu', x, reshape(context, alpha, slope));
};

/** Pads of two or three dimensions from [left, right, top, bottom, front, back] or [top, bottom, left, right]. */
export const importPad: PaddleImporter = (context) => {
  const { attrs } = context;
  const x = X(context);
  const rank = x.type.shape.length;
  const list = context.numbers('Paddings') ?? attrs.ints('paddings');
  const mode = attrs.string('mode', 'constant');
  const modes: Readonly<Record<string, string>> = {
    constant: 'constant',
    reflect: 'reflect',
    edge: 'edge',
    replicate: 'edge',
    circular: 'wrap',
  };
  const known = modes[mode] ?? context.unsupported(`${context.type} with mode "${mode}"`);
  const value = attrs.float(context.type === 'pad3d' ? 'value' : 'pad_value', attrs.float('value', 0));
  const { before, after } = padsOf(context, list, rank);
  return context.add('pad', { mode: known, before, after, value }, [x]);
};

/** Pads before and behind every dimension. */
function padsOf(context: PaddleContext, list: readonly number[], rank: number): { before: number[]; after: number[] } {
  const pairs: number[][] = Array.from({ length: rank }, () => [0, 0]);
  if (context.type === 'pad') {
    if (list.length !== 2 * rank) throw new Error(`paddings ${show(list)} for rank ${rank}`);
    for (let d = 0; d < rank; d++) pairs[d] = list.slice(2 * d, 2 * d + 2);
  } else {
    // pad2d lists height first, pad3d width first, then height and depth.
    const format = context.attrs.string('data_format', context.type === 'pad2d' ? 'NCHW' : 'NCDHW');
    const first = format.endsWith('C') ? 1 : 2;
    const spatial = rank - 2;
    if (list.length !== 2 * spatial) throw new Error(`paddings ${show(list)} for rank ${rank}`);
    for (let i = 0; i < spatial; i++)
      pairs[first + (context.type === 'pad2d' ? i : spatial - 1 - i)] = list.slice(2 * i, 2 * i + 2);
  }
  return { before: pairs.map((p) => p[0] as number), after: pairs.map((p) => p[1] as number) };
}
