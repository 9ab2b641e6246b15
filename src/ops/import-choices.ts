import type { Value } from '../ir/graph.js';
import { sizeOf } from '../ir/type.js';
import { castTo, checkPlaces, combine, constantOf, countingAlong, fromTheEnd, reshapeTo, scalarOf } from './compose.js';
import type { OnnxImporter } from './import-context.js';
import { normalizeAxis, plainDtype, show } from './shapes.js';

/** ONNX Trilu: zeros below or above a diagonal of the last two dimensions. */
export const importTrilu: OnnxImporter = (context) => {
  const x = context.input(0);
  const { shape } = x.type;
  if (shape.length < 2) throw new Error(`a triangle of ${show(shape)}`);
  const upper = context.attrs.int('upper', 1) !== 0;
  const [rows, columns] = shape.slice(-2) as [number, number];
  checkPlaces(rows * columns);
  const zero = scalarOf(context, plainDtype(x.type), 0);
  if (context.isComputed(1)) {
    const offsets = Array.from({ length: rows * columns }, (_, i) => (i % columns) - Math.floor(i / columns));
    const diagonals = constantOf(context, 'diagonals', 'i64', [rows, columns], offsets);
    const k = reshapeTo(context, castTo(context, context.input(1), 'i64'), []);
    const kept = upper ? combine(context, 'less_equal', k, diagonals) : combine(context, 'less_equal', diagonals, k);
    return context.add('where', {}, [kept, x, zero]);
  }
  const k = context.inputCount > 1 ? (context.numbers(1)?.[0] ?? 0) : 0;
  const kept = Array.from({ length: rows * columns }, (_, i) => {
    const offset = (i % columns) - Math.floor(i / columns) - k;
    return Number(upper ? offset >= 0 : offset <= 0);
  });
  const mask = constantOf(context, 'triangle', 'bool', [rows, columns], kept);
  return context.add('where', {}, [mask, x, zero]);
};

/** ONNX OneHot: `on` where the place along a new axis is the index, else `off`. Source: ONNX OneHot-11. */
export const importOneHot: OnnxImporter = (context) => {
  const [indices, values] = [context.input(0), context.input(2)];
  if (show(values.type.shape) !== show([2]))
    throw new Error(`values of shape ${show(values.type.shape)}, [2] expected`);
  const rank = indices.type.shape.length + 1;
  const axis = normalizeAxis(context.attrs.int('axis', -1), rank);
  const stated = context.isComputed(1) ? context.statedShape(0, 1, rank)[axis] : context.numbers(1)?.[0];
  const depth = stated ?? Number.NaN;
  const spread = [...indices.type.shape.slice(0, axis), 1, ...indices.type.shape.slice(axis)];
  const places = reshapeTo(context, fromTheEnd(context, indices, depth), spread);
  const hit = combine(context, 'equal', places, countingAlong(context, 'i64', rank, axis, depth));
  const [off, on] = [0, 1].map((i) =>
    reshapeTo(context, context.add('slice', { axes: [0], starts: [i], counts: [1], steps: [1] }, [values]), []),
  ) as [Value, Value];
  return context.add('where', {}, [hit, on, off]);
};

/** ONNX Hardmax: 1 at the first greatest element along an axis, else 0; over rows of a matrix before opset 13. */
export const importHardmax: OnnxImporter = (context) => {
  const x = context.input(0);
  const { shape } = x.type;
  const axis = normalizeAxis(context.attrs.int('axis', context.opset < 13 ? 1 : -1), shape.length);
  const flat = context.opset < 13 ? [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))] : shape;
  const along = context.opset < 13 ? 1 : axis;
  const rows = context.opset < 13 ? reshapeTo(context, x, flat) : x;
  const best = context.add('arg_max', { axis: along, keepDims: true, last: false }, [rows]);
  const places = countingAlong(context, 'i64', flat.length, along, flat[along] as number);
  const y = castTo(context, combine(context, 'equal', best, places), 'f32');
  return context.opset < 13 ? reshapeTo(context, y, shape) : y;
};
