import { type IntegerOp, integerKernel } from '../../codegen/kernels/integers.js';
import type { UnaryFunction } from '../../codegen/kernels/map.js';
import { type LowerContext, refOf, type View } from '../../codegen/lowering.js';
import { type DType, isCodes } from '../../ir/type.js';
import { aligned, applyMap, memoryOrder, scratchLike } from './movement.js';

/**
 * int32 and int64 are stored as 64-bit integers, bytes and booleans as the floats that equal them; bytes wrap around.
 * The border of the module converts them (planner).
 */
const WRAP: Readonly<Partial<Record<DType, UnaryFunction>>> = { u8: 'wrap_u8', i8: 'wrap_i8' };

/** Brings the results of an operation on bytes back into the range of their dtype. */
export function wrapBytes(context: LowerContext, out: View): void {
  const type = context.outputType();
  const fn = isCodes(type) ? undefined : WRAP[type.dtype];
  if (fn) applyMap(context, { kind: 'unary', fn }, out, out);
}

const bitsOf = (dtype: DType): 32 | 64 => (dtype === 'i32' ? 32 : 64);

/** An integer operation on views that broadcast to the target. */
export function applyInteger(
  context: LowerContext,
  op: IntegerOp,
  operands: readonly View[],
  target: View,
  dtype: DType,
): void {
  const order = memoryOrder(target);
  const pick = (values: readonly number[]): number[] => order.map((i) => values[i] as number);
  const views = [...operands.map((v) => aligned(v, target.shape.length)), target.strides];
  const params = { op, bits: bitsOf(dtype), dims: pick(target.shape), strides: views.map(pick) };
  context.call(
    integerKernel,
    params,
    [...operands, target].map((v) => refOf(v)),
  );
}

/** A view as floats: integers are converted in scratch memory, where they lie as they did. */
export function asReals(context: LowerContext, view: View): View {
  if (view.storage !== 'i64') return view;
  const reals = scratchLike(context, view, view.shape, 'f32');
  applyInteger(context, 'to_real', [view], reals, 'i64');
  return reals;
}

/** Lets `emit` write floats that are whole numbers, which then become the integers of a view. */
export function throughReals(context: LowerContext, out: View, emit: (reals: View) => void): void {
  const reals = scratchLike(context, out, out.shape, 'f32');
  emit(reals);
  applyInteger(context, 'from_real', [reals], out, 'i64');
}

/** cast: floats are cut to integers, bytes wrap around, bool is "not zero". */
export function lowerCast(context: LowerContext, { to }: { readonly to: DType }): void {
  const x = context.input(0);
  const from = context.inputType(0).dtype;
  const wide = (dtype: DType): boolean => dtype === 'i32' || dtype === 'i64';
  const real = from === 'f32' || isCodes(context.inputType(0));
  if (from === to || (from === 'i32' && to === 'i64')) return context.alias(x);
  if (wide(from)) {
    const op = ({ f32: 'to_real', i8: 'to_i8', u8: 'to_u8', bool: 'truth', i32: 'bit_or', i64: 'bit_or' } as const)[to];
    return applyInteger(context, op, op === 'bit_or' ? [x, x] : [x], context.output(), to);
  }
  if (wide(to)) return applyInteger(context, 'from_real', [x], context.output(), to);
  if (to === 'f32' || (from === 'bool' && to !== 'bool')) return context.alias(x);
  const out = context.output();
  if (to === 'bool') return applyMap(context, { kind: 'unary', fn: 'truth' }, x, out);
  if (real) {
    // floats beyond what a float counts exactly are cut as integers
    const whole = scratchLike(context, x, x.shape, 'i64');
    applyInteger(context, 'from_real', [x], whole, 'i32');
    return applyInteger(context, to === 'i8' ? 'to_i8' : 'to_u8', [whole], out, to);
  }
  applyMap(context, { kind: 'copy' }, x, out);
  wrapBytes(context, out);
}

/** An operation of two broadcasting int32 or int64 operands. */
export const lowerIntegerOp =
  (op: IntegerOp) =>
  (context: LowerContext): void =>
    applyInteger(context, op, [context.input(0), context.input(1)], context.output(), context.outputType().dtype);
