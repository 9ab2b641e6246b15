import { unreachable } from '../../support/errors.js';
import type { F32, I32, I64, Local, Stmt } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { type KernelDef, STORAGE_BYTES } from '../kernel.js';
import { collapse, emitNest, walk } from './nest.js';

/**
 * Elementwise operations on 64-bit integers over a strided nest, one element at a time: exact, and rarely in large
 * numbers. Arguments: [...operands, target], byte addresses. The target may equal an operand with the same strides.
 *
 * Operands are i64, or f32 for `from_real`. Results of `equal`, `less`, `less_equal`, `truth` and `to_real`,
 * `to_i8`, `to_u8` are f32, the others i64: the low `bits` of the exact result with their sign.
 *
 * - quotient, floor_mod, trunc_mod: as C, the sign of b, the sign of a; 0 where b is 0
 * - pow: of a negative exponent what is left of the fraction
 * - prelu: a * b where a is negative, else a
 * - shift_left, shift_right: 0 for distances of 64 and more
 * - from_real: cut to an integer, saturated; to_i8, to_u8: the low byte; truth: is not 0
 */
export interface IntegerParams {
  readonly op: IntegerOp;
  readonly bits: 32 | 64;
  /** Sizes of the nest, outermost first. */
  readonly dims: readonly number[];
  /** Element strides of the operands (0 broadcasts) and of the target. */
  readonly strides: readonly (readonly number[])[];
}

const BINARY = [
  'add',
  'sub',
  'mul',
  'quotient',
  'floor_mod',
  'trunc_mod',
  'min',
  'max',
  'pow',
  'bit_and',
  'bit_or',
  'bit_xor',
  'shift_left',
  'shift_right',
  'prelu',
] as const;
const COMPARISONS = ['equal', 'less', 'less_equal'] as const;
const UNARY = ['neg', 'abs', 'sign', 'bit_not', 'from_real'] as const;
const TO_REAL = ['to_real', 'to_i8', 'to_u8', 'truth'] as const;

/** Operations of two integers. */
export type IntegerBinary = (typeof BINARY)[number] | (typeof COMPARISONS)[number];
/** Operations of one integer. */
export type IntegerUnary = (typeof UNARY)[number] | (typeof TO_REAL)[number];
export type IntegerOp = IntegerBinary | IntegerUnary;

const isOneOf = <T extends string>(list: readonly T[], op: string): op is T => list.includes(op as T);

/** Whether an operation of two operands has an integer form. */
export const isIntegerBinary = (op: string): op is IntegerBinary => isOneOf(BINARY, op) || isOneOf(COMPARISONS, op);

/** The operation on integers of a binary operation by the name it has for reals. Throws where there is none. */
export function integerForm(op: string): IntegerBinary {
  const name = op === 'div' ? 'quotient' : op;
  if (!isIntegerBinary(name)) throw new Error(`${op} has no form for integers`);
  return name;
}

/** Whether an operation of one operand has an integer form. */
export const isIntegerUnary = (op: string): op is IntegerUnary => isOneOf(UNARY, op) || isOneOf(TO_REAL, op);

const givesReal = (op: IntegerOp): boolean => isOneOf(COMPARISONS, op) || isOneOf(TO_REAL, op);
const operandBytes = (op: IntegerOp): number => (op === 'from_real' ? STORAGE_BYTES.f32 : STORAGE_BYTES.i64);
const targetBytes = (op: IntegerOp): number => (givesReal(op) ? STORAGE_BYTES.f32 : STORAGE_BYTES.i64);
const operandCount = (op: IntegerOp): number => (isIntegerBinary(op) ? 2 : 1);

/** The operations on values in locals; `setup` runs before the value is read. */
class IntegerStep {
  readonly setup: Stmt[] = [];
  private readonly f: FunctionBuilder;
  private readonly zero: I64;
  private readonly one: I64;

  constructor(f: FunctionBuilder) {
    this.f = f;
    this.zero = f.i64(0n);
    this.one = f.i64(1n);
  }

  private truth = (condition: I32): F32 => this.f.choose(condition, this.f.f32(1), this.f.f32(0));

  /** Division traps for the divisors 0 and (once) -1, which are taken out. */
  private divisor(b: I64): I64 {
    const { f } = this;
    const special = f.i64Compare('le_u', f.i64Op('add', b, this.one), this.one);
    return f.choose(special, this.one, b);
  }

  private remainder(a: I64, b: I64): I64 {
    return this.f.i64Op('rem_s', a, this.divisor(b));
  }

  private quotient(a: I64, b: I64): I64 {
    const { f, zero } = this;
    const divided = f.i64Op('div_s', a, this.divisor(b));
    const negated = f.choose(f.i64Compare('eq', b, f.i64(-1n)), f.i64Op('sub', zero, a), divided);
    return f.choose(f.i64Compare('eq', b, zero), zero, negated);
  }

  private floorMod(a: I64, b: I64): I64 {
    const { f, zero } = this;
    const r = f.local('i64');
    this.setup.push(r.set(this.remainder(a, b)));
    const opposite = f.i64Compare('lt_s', f.i64Op('xor', r, b), zero);
    return f.choose(f.i64Compare('ne', r, zero), f.choose(opposite, f.i64Op('add', r, b), r), r);
  }

  /** By squaring, one bit of the exponent after the other. */
  private power(a: I64, b: I64): I64 {
    const { f, zero, one } = this;
    const [base, exponent, result] = [f.local('i64'), f.local('i64'), f.local('i64')];
    const odd = (v: I64): I32 => f.lowI32(f.i64Op('and', v, one));
    this.setup.push(
      base.set(a),
      exponent.set(b),
      result.set(one),
      f.repeat(64, [
        result.set(f.choose(odd(exponent), f.i64Op('mul', result, base), result)),
        base.set(f.i64Op('mul', base, base)),
        exponent.set(f.i64Op('shr_u', exponent, one)),
      ]),
    );
    const minusOne = f.i64(-1n);
    const sign = f.choose(odd(b), minusOne, one);
    const fraction = f.choose(f.i64Compare('eq', a, minusOne), sign, zero);
    const negative = f.choose(f.i64Compare('eq', a, one), one, fraction);
    return f.choose(f.i64Compare('lt_s', b, zero), negative, result);
  }

  private shift(name: 'shl' | 'shr_u', a: I64, b: I64): I64 {
    const { f, zero } = this;
    const far = f.i64Compare('ne', f.i64Op('and', b, f.i64(-64n)), zero);
    return f.choose(far, zero, f.i64Op(name, a, b));
  }

  binary(op: Exclude<IntegerBinary, (typeof COMPARISONS)[number]>, a: I64, b: I64): I64 {
    const { f } = this;
    switch (op) {
      case 'add':
      case 'sub':
      case 'mul':
        return f.i64Op(op, a, b);
      case 'bit_and':
        return f.i64Op('and', a, b);
      case 'bit_or':
        return f.i64Op('or', a, b);
      case 'bit_xor':
        return f.i64Op('xor', a, b);
      case 'min':
        return f.choose(f.i64Compare('lt_s', b, a), b, a);
      case 'max':
        return f.choose(f.i64Compare('lt_s', a, b), b, a);
      case 'quotient':
        return this.quotient(a, b);
      case 'trunc_mod':
        return this.remainder(a, b);
      case 'floor_mod':
        return this.floorMod(a, b);
      case 'pow':
        return this.power(a, b);
      case 'shift_left':
        return this.shift('shl', a, b);
      case 'shift_right':
        return this.shift('shr_u', a, b);
      case 'prelu':
        return f.choose(f.i64Compare('lt_s', a, this.zero), f.i64Op('mul', a, b), a);
      default:
        return unreachable(op);
    }
  }

  compare(op: (typeof COMPARISONS)[number], a: I64, b: I64): F32 {
    return this.truth(this.f.i64Compare(({ equal: 'eq', less: 'lt_s', less_equal: 'le_s' } as const)[op], a, b));
  }

  unary(op: Exclude<(typeof UNARY)[number], 'from_real'>, a: I64): I64 {
    const { f, zero, one } = this;
    const negative = f.i64Compare('lt_s', a, zero);
    switch (op) {
      case 'neg':
        return f.i64Op('sub', zero, a);
      case 'abs':
        return f.choose(negative, f.i64Op('sub', zero, a), a);
      case 'bit_not':
        return f.i64Op('xor', a, f.i64(-1n));
      case 'sign':
        return f.choose(negative, f.i64(-1n), f.choose(f.i64Compare('eq', a, zero), zero, one));
      default:
        return unreachable(op);
    }
  }

  toReal(op: (typeof TO_REAL)[number], a: I64): F32 {
    const { f } = this;
    const byte = f.i64Op('and', a, f.i64(255n));
    const signed = f.i64Op('sub', f.i64Op('xor', byte, f.i64(128n)), f.i64(128n));
    if (op === 'truth') return this.truth(f.i64Compare('ne', a, this.zero));
    return f.i64ToF32(op === 'to_real' ? a : op === 'to_u8' ? byte : signed);
  }
}

/** The work on one element: loads, the operation, and the store. */
function emitElement(f: FunctionBuilder, { op, bits }: IntegerParams, ptrs: readonly Local<'i32'>[]): Stmt[] {
  const target = ptrs.at(-1) as Local<'i32'>;
  const values = Array.from({ length: operandCount(op) }, () => f.local('i64'));
  const loads = values.map((v, i) => {
    const ptr = ptrs[i] as Local<'i32'>;
    return v.set(op === 'from_real' ? f.f32ToI64(f.loadF32(ptr), bits) : f.loadI64(ptr));
  });
  const [a, b] = values as [Local<'i64'>, Local<'i64'>];
  const step = new IntegerStep(f);
  const cut = (v: I64): I64 => (bits === 64 ? v : f.extendI32(f.lowI32(v)));
  const store = isOneOf(COMPARISONS, op)
    ? f.storeF32(target, step.compare(op, a, b))
    : isOneOf(TO_REAL, op)
      ? f.storeF32(target, step.toReal(op, a))
      : f.storeI64(
          target,
          cut(isOneOf(BINARY, op) ? step.binary(op, a, b) : op === 'from_real' ? a : step.unary(op, a)),
        );
  return [...loads, ...step.setup, store];
}

function emit(f: FunctionBuilder, p: IntegerParams): Stmt[] {
  const shape = collapse(p);
  const last = shape.strides.length - 1;
  const pointers = shape.strides.map((list, i) => ({
    ptr: f.param(i, 'i32'),
    strides: list.map((s) => s * (i === last ? targetBytes(p.op) : operandBytes(p.op))),
  }));
  const body = emitElement(
    f,
    p,
    pointers.map(({ ptr }) => ptr),
  );
  return [emitNest(f, shape.dims, pointers, body)];
}

/** Whole powers; of a negative exponent what is left of the fraction. */
export const powWhole = (a: bigint, b: bigint): bigint => {
  if (b >= 0n) return powModulo(a, b);
  return a === 1n ? 1n : a === -1n ? (b % 2n === 0n ? 1n : -1n) : 0n;
};

/** The low 64 bits of a power, by squaring. */
function powModulo(a: bigint, b: bigint): bigint {
  let [base, exponent, result] = [a, b, 1n];
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = BigInt.asIntN(64, result * base);
    base = BigInt.asIntN(64, base * base);
  }
  return result;
}

/** The remainder of integers with the sign of the divisor (`floors`) or of the dividend; 0 for the divisor 0. */
export function remainder(a: bigint, b: bigint, floors: boolean): bigint {
  if (b === 0n) return 0n;
  const r = a % b;
  return floors && r !== 0n && r < 0n !== b < 0n ? r + b : r;
}

const isFar = (b: bigint): boolean => b < 0n || b > 63n;

/** An operation of two integers as a bigint: the exact result, of which the low bits count; comparisons give 0 or 1. */
export function applyIntegerBinary(op: IntegerBinary, a: bigint, b: bigint): bigint {
  switch (op) {
    case 'add':
      return a + b;
    case 'sub':
      return a - b;
    case 'mul':
      return a * b;
    case 'quotient':
      return b === 0n ? 0n : a / b;
    case 'floor_mod':
      return remainder(a, b, true);
    case 'trunc_mod':
      return remainder(a, b, false);
    case 'min':
      return b < a ? b : a;
    case 'max':
      return a < b ? b : a;
    case 'pow':
      return powWhole(a, b);
    case 'bit_and':
      return a & b;
    case 'bit_or':
      return a | b;
    case 'bit_xor':
      return a ^ b;
    case 'shift_left':
      return isFar(b) ? 0n : a << b;
    case 'shift_right':
      return isFar(b) ? 0n : BigInt.asUintN(64, a) >> b;
    case 'prelu':
      return a < 0n ? a * b : a;
    case 'equal':
      return a === b ? 1n : 0n;
    case 'less':
      return a < b ? 1n : 0n;
    case 'less_equal':
      return a <= b ? 1n : 0n;
    default:
      return unreachable(op);
  }
}

/** The float nearest to an integer, rounded once: a number would round twice. */
export function nearestFloat(v: bigint): number {
  const magnitude = v < 0n ? -v : v;
  const spare = magnitude.toString(2).length - 40;
  if (spare <= 0) return Math.fround(Number(v));
  // What lies below the 40 leading bits decides only whether there is more than a tie.
  const top = magnitude >> BigInt(spare);
  const sticky = top << BigInt(spare) === magnitude ? top : top | 1n;
  return Math.fround(Number(sticky) * 2 ** spare) * (v < 0n ? -1 : 1);
}

/** A float as an integer: towards zero, saturated to 32 or 64 bits; NaN is 0. */
export function truncateFloat(x: number, bits: 32 | 64): bigint {
  if (Number.isNaN(x)) return 0n;
  const limit = 2 ** (bits - 1);
  if (x >= limit) return 2n ** BigInt(bits - 1) - 1n;
  return x < -limit ? -(2n ** BigInt(bits - 1)) : BigInt(Math.trunc(x));
}

function applyUnary(op: Exclude<IntegerUnary, 'from_real'>, a: bigint): bigint | number {
  switch (op) {
    case 'neg':
      return -a;
    case 'abs':
      return a < 0n ? -a : a;
    case 'sign':
      return a > 0n ? 1n : a < 0n ? -1n : 0n;
    case 'bit_not':
      return ~a;
    case 'to_real':
      return nearestFloat(a);
    case 'to_i8':
      return Number(BigInt.asIntN(8, a));
    case 'to_u8':
      return Number(BigInt.asUintN(8, a));
    case 'truth':
      return a === 0n ? 0 : 1;
    default:
      return unreachable(op);
  }
}

function reference(p: IntegerParams, memory: ArrayBuffer, args: readonly number[]): void {
  const view = new DataView(memory);
  const { op, bits } = p;
  const target = args.at(-1) as number;
  walk(p, (offsets) => {
    const whole = (i: number): bigint => view.getBigInt64((args[i] as number) + 8 * (offsets[i] as number), true);
    const value = isIntegerBinary(op)
      ? applyIntegerBinary(op, whole(0), whole(1))
      : op === 'from_real'
        ? truncateFloat(view.getFloat32((args[0] as number) + 4 * (offsets[0] as number), true), bits)
        : applyUnary(op, whole(0));
    const at = target + targetBytes(op) * (offsets.at(-1) as number);
    if (givesReal(op)) view.setFloat32(at, Number(value), true);
    else view.setBigInt64(at, BigInt.asIntN(bits, value as bigint), true);
  });
}

/** Elementwise operations on integers; see `IntegerParams`. */
export const integerKernel: KernelDef<IntegerParams> = {
  name: ({ op, bits }) => `i${bits}-${op.replaceAll('_', '-')}-scalar`,
  signature: ({ op }) => ({ params: Array.from({ length: operandCount(op) + 1 }, () => 'i32' as const) }),
  emit,
  reference,
};
