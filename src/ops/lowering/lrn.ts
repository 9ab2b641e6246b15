import type { LowerContext, View } from '../../codegen/lowering.js';
import { NO_HALO } from '../../codegen/lowering.js';
import { applyBinary } from './elementwise.js';
import { applyMap, rowMajorScratch } from './movement.js';

/** A number that is repeated over a shape. */
function repeated(context: LowerContext, value: number, shape: readonly number[]): View {
  const { buffer } = context.data(Float32Array.of(value, value, value, value));
  return { buffer, offset: 0, storage: 'f32', shape, strides: shape.map(() => 0), halo: NO_HALO };
}

/** `count` channels of a view from `start` on. */
const channels = (v: View, start: number, count: number): View => ({
  ...v,
  offset: v.offset + start * (v.strides[1] as number),
  shape: v.shape.map((n, d) => (d === 1 ? count : n)),
  halo: NO_HALO,
});

/** lrn: squares, sums of shifted channels, and x times a power of the sum. */
export function lowerLrn(
  context: LowerContext,
  attrs: { readonly alpha: number; readonly beta: number; readonly bias: number; readonly size: number },
): void {
  const [x, out] = [context.input(0), context.output()];
  const { shape } = x;
  const n = shape[1] as number;
  const [squares, sums] = [rowMajorScratch(context, 'f32', shape), rowMajorScratch(context, 'f32', shape)];
  applyMap(context, { kind: 'unary', fn: 'square' }, x, squares);
  applyMap(context, { kind: 'copy' }, squares, sums);
  const before = Math.floor((attrs.size - 1) / 2);
  for (let shift = -before; shift < attrs.size - before; shift++) {
    const count = n - Math.abs(shift);
    if (shift === 0 || count <= 0) continue;
    const to = channels(sums, Math.max(-shift, 0), count);
    applyBinary(context, 'add', to, channels(squares, Math.max(shift, 0), count), to);
  }
  const withNumber = (op: 'mul' | 'add', value: number): void =>
    applyBinary(context, op, sums, repeated(context, value, shape), sums);
  withNumber('mul', Math.fround(attrs.alpha / attrs.size));
  withNumber('add', attrs.bias);
  applyMap(context, { kind: 'unary', fn: 'log' }, sums, sums);
  withNumber('mul', -attrs.beta);
  applyMap(context, { kind: 'unary', fn: 'exp' }, sums, sums);
  applyBinary(context, 'mul', x, sums, out);
}
