import type { Value } from '../ir/graph.js';
import { isCodes, sizeOf } from '../ir/type.js';
import { castTo, checkPlaces, combine, constantOf, reshapeTo } from './compose.js';
import type { ImportContext, OnnxImporter } from './import-context.js';
import { onReals } from './import-helpers.js';
import { asImage, type Image } from './import-image.js';
import type { PoolAttrs } from './pool-shared.js';
import { importWindow, type Window2d } from './window.js';

type PoolType = PoolAttrs['poolType'];

/** The window of a pool node, a number per dimension of the image. */
function windowOf(context: ImportContext, image: Image): Window2d {
  const ksize = image.pair(context.attrs.ints('kernel_shape'), 1);
  if (ksize.length !== image.value.type.shape.length - 2)
    throw new Error(`kernel_shape [${ksize}] for a tensor of rank ${image.value.type.shape.length}`);
  return { ksize, ...importWindow(context, image, ksize) };
}

/** A pool over all dimensions of an image, two at a time: maxima and means over boxes are those over their sides. */
function poolBoxes(context: ImportContext, x: Value, w: Window2d, all: Omit<PoolAttrs, keyof Window2d>): Value {
  const { poolType, ...rest } = all;
  const { shape } = x.type;
  const spatial = shape.length - 2;
  const pool = (v: Value, window: Window2d): Value => context.add('pool2d', { poolType, ...window, ...rest }, [v]);
  if (spatial === 2) return pool(x, w);
  const lasts = (list: readonly number[], n: number): number[] => list.slice(n - 2, n);
  const pads = [...lasts(w.pads, spatial), ...lasts(w.pads, 2 * spatial)];
  const plane = { ksize: w.ksize.slice(-2), strides: w.strides.slice(-2), dilations: w.dilations.slice(-2), pads };
  const planes = pool(
    reshapeTo(context, x, [shape[0] as number, sizeOf(shape.slice(1, -2)), ...shape.slice(-2)]),
    plane,
  );
  const [oh, ow] = planes.type.shape.slice(-2) as [number, number];
  // what is left is pooled with the finished plane as one dimension that no window spans
  const flat = reshapeTo(context, planes, [...shape.slice(0, -2), oh * ow]);
  const firsts = (list: readonly number[], last: number): number[] => [...list.slice(0, spatial - 2), last];
  const outer = {
    ksize: firsts(w.ksize, 1),
    strides: firsts(w.strides, 1),
    dilations: firsts(w.dilations, 1),
    pads: [...firsts(w.pads, 0), ...firsts(w.pads.slice(spatial), 0)],
  };
  const y = poolBoxes(context, flat, outer, all);
  return reshapeTo(context, y, [...y.type.shape.slice(0, -1), oh, ow]);
}

/** A pool of reals, of codes, or (maxima) of plain bytes. */
function onImage(context: ImportContext, apply: (image: Image) => Value): Value {
  const { type } = context.input(0);
  const bytes = !isCodes(type) && (type.dtype === 'u8' || type.dtype === 'i8');
  const run = (x: Value): Value => {
    const image = asImage(context, x);
    return image.restore(apply(image));
  };
  return bytes ? castTo(context, run(castTo(context, context.input(0), 'f32')), type.dtype) : onReals(context, run);
}

/** MaxPool with the places of the maxima in the flattened input. */
function maxWithPlaces(context: ImportContext): Value[] {
  const { type } = context.input(0);
  const bytes = type.dtype === 'u8' || type.dtype === 'i8';
  if (isCodes(type)) context.unsupported('MaxPool of codes with places as second output', 'Dequantize it first.');
  const image = asImage(context, bytes ? castTo(context, context.input(0), 'f32') : context.input(0));
  if (image.rank > 2) context.unsupported(`MaxPool over ${image.rank} dimensions with places as second output`);
  const ceilMode = context.attrs.int('ceil_mode', 0) !== 0;
  const columnMajor = context.attrs.int('storage_order', 0) !== 0;
  const attrs = { ...windowOf(context, image), ceilMode, columnMajor };
  const [values, places] = context.addMany('max_pool2d_with_index', attrs, [image.value]) as [Value, Value];
  const [n, c, h, w] = image.value.type.shape as [number, number, number, number];
  checkPlaces(n * c);
  const starts = constantOf(
    context,
    'planes',
    'i64',
    [n, c, 1, 1],
    Array.from({ length: n * c }, (_, i) => i * h * w),
  );
  const all = combine(context, 'elementwise_add', places, starts);
  return [castTo(context, image.restore(values), type.dtype), image.restore(all)];
}

/** ONNX AveragePool and MaxPool. */
export const importPool =
  (poolType: PoolType): OnnxImporter =>
  (context) => {
    if (context.outputCount > 1) return maxWithPlaces(context);
    return onImage(context, (image) => {
      const ceilMode = context.attrs.int('ceil_mode', 0) !== 0;
      const countIncludePad = context.attrs.int('count_include_pad', 0) !== 0;
      const rest = { poolType, global: false, countIncludePad, ceilMode };
      return poolBoxes(context, image.value, windowOf(context, image), rest);
    });
  };

/** ONNX GlobalAveragePool and GlobalMaxPool. */
export const importGlobalPool =
  (poolType: PoolType): OnnxImporter =>
  (context) => {
    const window = { ksize: [1, 1], strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1] };
    const attrs = { poolType, ...window, global: true, countIncludePad: false, ceilMode: false };
    return onImage(context, ({ value, rank }) => {
      if (rank <= 2) return context.add('pool2d', attrs, [value]);
      const { shape } = value.type;
      const plane = reshapeTo(context, value, [
        ...shape.slice(0, 2),
        sizeOf(shape.slice(2, -1)),
        shape.at(-1) as number,
      ]);
      return reshapeTo(context, context.add('pool2d', attrs, [plane]), [
        ...shape.slice(0, 2),
        ...shape.slice(2).map(() => 1),
      ]);
    });
  };
