import type { UnaryFunction } from '../../codegen/kernels/map.js';
import type { LowerContext, View } from '../../codegen/lowering.js';
import { type DType, isCodes } from '../../ir/type.js';
import { applyMap } from './movement.js';

/**
 * Integers and booleans are stored as the floats that equal them, which is exact below 2^24; bytes wrap around. The
 * border of the module converts them (planner).
 */
const WRAP: Readonly<Partial<Record<DType, UnaryFunction>>> = { u8: 'wrap_u8', i8: 'wrap_i8' };

/** Brings the results of an integer operation back into the range of their dtype. */
export function wrapIntegers(context: LowerContext, out: View): void {
  const type = context.outputType();
  const fn = isCodes(type) ? undefined : WRAP[type.dtype];
  if (fn) applyMap(context, { kind: 'unary', fn }, out, out);
}

/** cast: floats are cut to integers, bytes wrap around, bool is "not zero"; to a wider type it is a second name. */
export function lowerCast(context: LowerContext, { to }: { readonly to: DType }): void {
  const x = context.input(0);
  const from = context.inputType(0).dtype;
  if (to === 'f32' || from === 'bool' || from === to) return context.alias(x);
  if (to === 'bool') return applyMap(context, { kind: 'unary', fn: 'truth' }, x, context.output());
  const isWider = (to === 'i32' || to === 'i64') && from !== 'f32';
  if (isWider) return context.alias(x);
  const out = context.output();
  applyMap(context, { kind: 'unary', fn: 'trunc' }, x, out);
  wrapIntegers(context, out);
}
