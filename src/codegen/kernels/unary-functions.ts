import { type Arithmetic, SCALAR } from '../../quant/math.js';
import { cosOf, sinOf } from '../../quant/trigonometry.js';
import type { V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { type Computed, VectorArithmetic } from './math.js';

/**
 * Further functions of `unary` maps. Truth values are 0 and 1, integers are floats.
 *
 * - truth: x is not 0; not: x is 0; is_nan; is_inf; sign: -1, 0, 1 (NaN stays)
 * - trunc: towards zero; wrap_u8, wrap_i8: the low byte of an integer below 2^24
 */
export type FurtherUnary = (typeof FURTHER_UNARY)[number];

/** Their names. */
export const FURTHER_UNARY = [
  'truth',
  'not',
  'is_nan',
  'is_inf',
  'sign',
  'trunc',
  'wrap_u8',
  'wrap_i8',
  'sin',
  'cos',
] as const;

const NAMES: ReadonlySet<string> = new Set(FURTHER_UNARY);

/** Whether a function is one of them. */
export const isFurtherUnary = (fn: string): fn is FurtherUnary => NAMES.has(fn);

/** The low byte of an integer, counted from `least`: x - 256 * floor((x - least) / 256). */
const wrapOf = <T>(a: Arithmetic<T>, floor: (x: T) => T, x: T, least: number): T => {
  const turns = floor(a.mul(a.sub(x, a.constant(least)), a.constant(1 / 256)));
  return a.sub(x, a.mul(turns, a.constant(256)));
};

const signOf = <T>(a: Arithmetic<T>, x: T): T =>
  a.whenLess(a.constant(0), x, a.constant(1), a.whenLess(x, a.constant(0), a.constant(-1), x));

/** A function of four floats. */
export function emitFurtherUnary(f: FunctionBuilder, fn: FurtherUnary, input: V128): Computed {
  const a = new VectorArithmetic(f);
  const x = a.keep(input);
  const one = (mask: V128): V128 => f.bitwise('and', mask, f.splatF32(1));
  const floor = (v: V128): V128 => f.unary('f32x4', 'floor', v);
  const values: Record<FurtherUnary, () => V128> = {
    truth: () => one(f.op('f32x4', 'ne', x, f.zero())),
    not: () => one(f.op('f32x4', 'eq', x, f.zero())),
    is_nan: () => one(f.op('f32x4', 'ne', x, x)),
    is_inf: () => one(f.op('f32x4', 'eq', a.abs(x), f.splatF32(Number.POSITIVE_INFINITY))),
    sign: () => signOf(a, x),
    trunc: () => f.unary('f32x4', 'trunc', x),
    wrap_u8: () => wrapOf(a, floor, x, 0),
    wrap_i8: () => wrapOf(a, floor, x, -128),
    sin: () => sinOf(a, x),
    cos: () => cosOf(a, x),
  };
  const value = values[fn]();
  return { setup: a.setup, value };
}

const SCALARS: Readonly<Record<FurtherUnary, (x: number) => number>> = {
  truth: (x) => (x === 0 ? 0 : 1),
  not: (x) => (x === 0 ? 1 : 0),
  is_nan: (x) => (Number.isNaN(x) ? 1 : 0),
  is_inf: (x) => (Math.abs(x) === Number.POSITIVE_INFINITY ? 1 : 0),
  sign: (x) => signOf(SCALAR, x),
  trunc: Math.trunc,
  wrap_u8: (x) => wrapOf(SCALAR, Math.floor, x, 0),
  wrap_i8: (x) => wrapOf(SCALAR, Math.floor, x, -128),
  sin: (x) => sinOf(SCALAR, x),
  cos: (x) => cosOf(SCALAR, x),
};

/** A function of one number, in float32. */
export const applyFurtherUnary = (fn: FurtherUnary, x: number): number => SCALARS[fn](Math.fround(x));
