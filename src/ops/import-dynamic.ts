import type { Value } from '../ir/graph.js';
import { sizeOf } from '../ir/type.js';
import { apply, castTo, combine, reshapeTo, scalarOf } from './compose.js';
import type { ImportContext, OnnxImporter } from './import-context.js';
import { normalizeAxis } from './shapes.js';

/** Clamped to 0..255. */
function saturated(context: ImportContext, x: Value): Value {
  const raised = combine(context, 'elementwise_max', x, scalarOf(context, 'f32', 0));
  return combine(context, 'elementwise_min', raised, scalarOf(context, 'f32', 255));
}

/**
 * ONNX DynamicQuantizeLinear, step by step: y as plain uint8, its scale and its zero point, which the network computes.
 * Where all elements are 0 the scale is 1. Source: ONNX DynamicQuantizeLinear; onnxruntime for the scale of zeros.
 */
export const importDynamicQuantize: OnnxImporter = (context) => {
  const x = context.input(0);
  const zero = scalarOf(context, 'f32', 0);
  const attrs = { axes: x.type.shape.map((_, d) => d), keepDims: false };
  const most = combine(context, 'elementwise_max', context.add('reduce_max', attrs, [x]), zero);
  const least = combine(context, 'elementwise_min', context.add('reduce_min', attrs, [x]), zero);
  const width = combine(context, 'elementwise_sub', most, least);
  const step = combine(context, 'elementwise_div', width, scalarOf(context, 'f32', 255));
  const scale = context.add('where', {}, [combine(context, 'equal', width, zero), scalarOf(context, 'f32', 1), step]);
  const offset = combine(context, 'elementwise_div', combine(context, 'elementwise_sub', zero, least), scale);
  const zeroPoint = apply(context, 'round', saturated(context, offset));
  const rounded = apply(context, 'round', combine(context, 'elementwise_div', x, scale));
  const codes = saturated(context, combine(context, 'elementwise_add', rounded, zeroPoint));
  return [castTo(context, codes, 'u8'), scale, castTo(context, zeroPoint, 'u8')];
};

/** A number per slice along an axis, shaped to broadcast; single numbers stay. */
function alongAxis(context: ImportContext, v: Value, axis: number, rank: number): Value {
  const n = sizeOf(v.type.shape);
  if (v.type.shape.length !== 1 || (n === 1 && rank !== 1)) return n === 1 ? reshapeTo(context, v, []) : v;
  const at = normalizeAxis(axis, rank);
  return reshapeTo(
    context,
    v,
    Array.from({ length: rank }, (_, d) => (d === at ? n : 1)),
  );
}

/** Integers without a grid as reals: (x - zero point) * scale, where both may be computed, per tensor or per slice. */
export function dequantizePlain(
  context: ImportContext,
  x: Value,
  scale: Value,
  zeroPoint: Value | null,
  axis: number,
): Value {
  const rank = x.type.shape.length;
  const real = castTo(context, x, 'f32');
  const offset = zeroPoint && alongAxis(context, castTo(context, zeroPoint, 'f32'), axis, rank);
  const centred = offset ? combine(context, 'elementwise_sub', real, offset) : real;
  return combine(context, 'elementwise_mul', centred, alongAxis(context, scale, axis, rank));
}

/** Reals as plain bytes: round(x / scale) + zero point, saturated; scale and zero point may be computed or per slice. */
export function quantizePlain(context: ImportContext, x: Value, { scale, zeroPoint, axis, dtype }: PlainGrid): Value {
  const rank = x.type.shape.length;
  const quotient = combine(context, 'elementwise_div', x, alongAxis(context, scale, axis, rank));
  const offset = zeroPoint && alongAxis(context, castTo(context, zeroPoint, 'f32'), axis, rank);
  const rounded = apply(context, 'round', quotient);
  const shifted = offset ? combine(context, 'elementwise_add', rounded, offset) : rounded;
  const [least, most] = dtype === 'u8' ? [0, 255] : [-128, 127];
  const raised = combine(context, 'elementwise_max', shifted, scalarOf(context, 'f32', least));
  return castTo(context, combine(context, 'elementwise_min', raised, scalarOf(context, 'f32', most)), dtype);
}

/** A grid whose numbers are values of the network. */
export interface PlainGrid {
  readonly scale: Value;
  readonly zeroPoint: Value | null;
  readonly axis: number;
  readonly dtype: 'i8' | 'u8';
}
