import type { F32, Local, Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';

/** Ones in the first `count` (1..3) of four 32-bit lanes. */
export const tailMask = (f: FunctionBuilder, count: number): V128 =>
  f.bytes(Array.from({ length: 16 }, (_, i) => (i < 4 * count ? 255 : 0)));

/** The sum of four lanes, in their order. */
export const sumLanes = (f: FunctionBuilder, sums: Local<'v128'>): F32 =>
  [1, 2, 3].reduce<F32>((total, lane) => f.f32Op('add', total, f.extractF32(sums, lane)), f.extractF32(sums, 0));

/**
 * Loops over a row of `n` 32-bit elements: `step` works on up to four of them at the pointers, which are moved on and,
 * at the end, back to the start of the row.
 */
export function eachVector(
  f: FunctionBuilder,
  n: number,
  pointers: readonly Local<'i32'>[],
  step: (count: number) => readonly Stmt[],
): Stmt[] {
  const advance = (count: number): Stmt[] => pointers.map((p) => f.advance(p, 4 * count));
  const [whole, tail] = [Math.floor(n / 4), n % 4];
  return [f.repeat(whole, [...step(4), ...advance(4)]), ...(tail ? step(tail) : []), ...advance(-4 * whole)];
}
