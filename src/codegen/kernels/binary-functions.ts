import { type Arithmetic, SCALAR } from '../../quant/math.js';
import { powOf } from '../../quant/power.js';
import type { V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { type Computed, VectorArithmetic } from './math.js';

/**
 * Further operations of the binary kernel. Truth values are 0 and 1, integers are floats.
 *
 * - equal, less, less_equal; and, or, xor of truth values
 * - quotient: of integers, towards zero; floor_mod: with the sign of b; trunc_mod: with the sign of a
 * - prelu: a where a >= 0, else a * b; pow: see `powOf`
 */
export type FurtherBinary = (typeof FURTHER_BINARY)[number];

/** Their names. */
export const FURTHER_BINARY = [
  'equal',
  'less',
  'less_equal',
  'and',
  'or',
  'xor',
  'quotient',
  'floor_mod',
  'trunc_mod',
  'prelu',
  'pow',
] as const;

const NAMES: ReadonlySet<string> = new Set(FURTHER_BINARY);

/** Whether an operation is one of them. */
export const isFurtherBinary = (op: string): op is FurtherBinary => NAMES.has(op);

const preluOf = <T>(a: Arithmetic<T>, x: T, slope: T): T => a.whenLess(x, a.constant(0), a.mul(x, slope), x);

/** An operation on four pairs of floats. */
export function emitFurtherBinary(f: FunctionBuilder, op: FurtherBinary, left: V128, right: V128): Computed {
  const a = new VectorArithmetic(f);
  const [x, y] = [a.keep(left), a.keep(right)];
  const one = (mask: V128): V128 => f.bitwise('and', mask, f.splatF32(1));
  const compare = (name: 'eq' | 'ne' | 'lt' | 'le'): V128 => one(f.op('f32x4', name, x, y));
  const round = (how: 'floor' | 'trunc'): V128 => f.unary('f32x4', how, a.div(x, y));
  const values: Record<FurtherBinary, () => V128> = {
    equal: () => compare('eq'),
    less: () => compare('lt'),
    less_equal: () => compare('le'),
    and: () => f.bitwise('and', x, y),
    or: () => f.bitwise('or', x, y),
    xor: () => compare('ne'),
    quotient: () => round('trunc'),
    floor_mod: () => a.sub(x, a.mul(round('floor'), y)),
    trunc_mod: () => a.sub(x, a.mul(round('trunc'), y)),
    prelu: () => preluOf(a, x, y),
    pow: () => powOf(a, x, y),
  };
  const value = values[op]();
  return { setup: a.setup, value };
}

const f32 = Math.fround;
const truth = (v: boolean): number => (v ? 1 : 0);

const SCALARS: Readonly<Record<FurtherBinary, (x: number, y: number) => number>> = {
  equal: (x, y) => truth(x === y),
  less: (x, y) => truth(x < y),
  less_equal: (x, y) => truth(x <= y),
  and: (x, y) => truth(x === 1 && y === 1),
  or: (x, y) => truth(x === 1 || y === 1),
  xor: (x, y) => truth(x !== y),
  quotient: (x, y) => Math.trunc(f32(x / y)),
  floor_mod: (x, y) => f32(x - f32(Math.floor(f32(x / y)) * y)),
  trunc_mod: (x, y) => f32(x - f32(Math.trunc(f32(x / y)) * y)),
  prelu: (x, y) => preluOf(SCALAR, x, y),
  pow: (x, y) => powOf(SCALAR, x, y),
};

/** An operation on two numbers, in float32. */
export const applyFurtherBinary = (op: FurtherBinary, x: number, y: number): number => SCALARS[op](f32(x), f32(y));
