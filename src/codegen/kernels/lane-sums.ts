import type { F32, Local, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';

/** Ones in the first `count` (1..3) of four 32-bit lanes. */
export const tailMask = (f: FunctionBuilder, count: number): V128 =>
  f.bytes(Array.from({ length: 16 }, (_, i) => (i < 4 * count ? 255 : 0)));

/** The sum of four lanes, in their order. */
export const sumLanes = (f: FunctionBuilder, sums: Local<'v128'>): F32 =>
  [1, 2, 3].reduce<F32>((total, lane) => f.f32Op('add', total, f.extractF32(sums, lane)), f.extractF32(sums, 0));
