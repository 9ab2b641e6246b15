import type { Binaryen } from './module.js';

type Module = InstanceType<Binaryen['Module']>;

/** The parts of Binaryen's C interface that its JavaScript wrapper has no method for. */
interface RawBinaryen {
  readonly RelaxedDotI8x16I7x16SToVecI16x8?: number;
  readonly DotI8x16I7x16SToVecI16x8?: number;
  readonly RelaxedMaddVecF32x4?: number;
  _BinaryenBinary(module: number, op: number, left: number, right: number): number;
  _BinaryenSIMDTernary(module: number, op: number, a: number, b: number, c: number): number;
}

/** Emits `i16x8.relaxed_dot_i8x16_i7x16_s`. */
export function relaxedDot8(binaryen: Binaryen, module: Module, a: number, b: number): number {
  const raw = binaryen as unknown as RawBinaryen;
  const op = raw.RelaxedDotI8x16I7x16SToVecI16x8 ?? raw.DotI8x16I7x16SToVecI16x8;
  if (op === undefined) throw new Error('this Binaryen has no relaxed dot product');
  return raw._BinaryenBinary((module as unknown as { ptr: number }).ptr, op, a, b);
}

/** Emits `f32x4.relaxed_madd`: a * b + c with one rounding or with two, as the engine likes. */
export function relaxedMadd(binaryen: Binaryen, module: Module, a: number, b: number, c: number): number {
  const raw = binaryen as unknown as RawBinaryen;
  if (raw.RelaxedMaddVecF32x4 === undefined) throw new Error('this Binaryen has no relaxed multiply-add');
  return raw._BinaryenSIMDTernary((module as unknown as { ptr: number }).ptr, raw.RelaxedMaddVecF32x4, a, b, c);
}

/** The same sums by fixed-width SIMD, for engines without the instruction: products of the even and of the odd bytes. */
export function emulatedDot8({ i16x8, i32 }: Module, a: () => number, b: () => number): number {
  const even = (v: number): number => i16x8.shr_s(i16x8.shl(v, i32.const(8)), i32.const(8));
  const odd = (v: number): number => i16x8.shr_s(v, i32.const(8));
  return i16x8.add(i16x8.mul(even(a()), even(b())), i16x8.mul(odd(a()), odd(b())));
}
