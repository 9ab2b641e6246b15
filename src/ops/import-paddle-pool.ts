import type { Value } from '../ir/graph.js';
import type { PaddleContext, PaddleImporter } from './import-context.js';
import { inNchw, windowOf } from './import-paddle.js';
import { show } from './shapes.js';

const GLOBAL = { ksize: [1, 1], strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], global: true } as const;

type PoolType = 'avg' | 'max';

const pool = (context: PaddleContext, x: Value, poolType: PoolType, window: object, exclusive: boolean): Value =>
  context.add('pool2d', { poolType, ...window, countIncludePad: !exclusive, ceilMode: false }, [x]);

/** Reduces windows [floor(i * n / out), ceil((i + 1) * n / out)) of one dimension, which may overlap. */
function adaptAxis(context: PaddleContext, x: Value, axis: number, out: number, op: string): Value {
  const size = x.type.shape[axis] as number;
  if (out === size) return x;
  const parts = Array.from({ length: out }, (_, i) => {
    const start = Math.floor((i * size) / out);
    const count = Math.ceil(((i + 1) * size) / out) - start;
    const part = context.add('slice', { axes: [axis], starts: [start], counts: [count], steps: [1] }, [x]);
    return context.add(op, { axes: [axis], keepDims: true }, [part]);
  });
  return parts.length === 1 ? (parts[0] as Value) : context.add('concat', { axis }, parts);
}

/** Adaptive pooling: one window for the whole plane, equal windows, or unequal ones, one dimension after the other. */
function adaptive(context: PaddleContext, x: Value, poolType: PoolType, out: readonly number[]): Value {
  const plane = x.type.shape.slice(2);
  if (out.every((n) => n === 1)) return pool(context, x, poolType, GLOBAL, true);
  if (plane.every((n, d) => n % (out[d] as number) === 0)) {
    const ksize = plane.map((n, d) => n / (out[d] as number));
    return pool(context, x, poolType, { ...GLOBAL, global: false, ksize, strides: ksize }, true);
  }
  const op = poolType === 'max' ? 'reduce_max' : 'reduce_mean';
  return [2, 3].reduce((y, axis, d) => adaptAxis(context, y, axis, out[d] as number, op), x);
}

/** Pads at the end that give the windows which Paddle's ceil_mode adds; they are not counted by exclusive averages. */
function ceilPads(
  plane: readonly number[],
  ksize: readonly number[],
  strides: readonly number[],
  pads: number[],
): number[] {
  return pads.map((p, i) => {
    if (i < 2) return p;
    const d = i - 2;
    const span = (plane[d] as number) + (pads[d] as number) + p - (ksize[d] as number);
    const stride = strides[d] as number;
    return p + Math.ceil(span / stride) * stride - span;
  });
}

/** Paddle pool2d: max or average; global, adaptive, or over windows. */
export const importPool2d: PaddleImporter = (context) =>
  inNchw(context, context.input('X'), (x) => {
    const { attrs } = context;
    const poolType = attrs.string('pooling_type', 'max');
    if (poolType !== 'max' && poolType !== 'avg') return context.unsupported(`pooling_type "${poolType}"`);
    const ksize = context.numbers('KernelSize') ?? attrs.ints('ksize', [1, 1]);
    if (attrs.bool('global_pooling', false)) return pool(context, x, poolType, GLOBAL, true);
    if (ksize.length !== 2) throw new Error(`ksize ${show(ksize)}`);
    if (attrs.bool('adaptive', false)) return adaptive(context, x, poolType, ksize);
    const plane = x.type.shape.slice(2);
    const { strides, pads } = windowOf(context, plane, ksize);
    const ends = attrs.bool('ceil_mode', false) ? ceilPads(plane, ksize, strides, pads) : pads;
    const exclusive =
      attrs.bool('exclusive', true) || (ends !== pads && pads.every((p) => p === 0) && poolType === 'max');
    const window = { ksize, strides, pads: ends, dilations: [1, 1], global: false };
    return pool(context, x, poolType, window, exclusive);
  });
