import { type Arithmetic, erfOf, expOf, logOf, sigmoidOf, softplusOf, tanhOf } from '../../quant/math.js';
import type { Local, Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';

/** Statements to run first, and then the value (a local: it may be used several times). */
export interface Computed {
  readonly setup: readonly Stmt[];
  readonly value: V128;
}

const MAGIC = 12582912; // 1.5 * 2^23: x + MAGIC has the integer nearest to x in its low mantissa bits

/** Byte indices of a shuffle: the upper half first; the lower halves of two vectors. */
const UPPER = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7];
const JOINED = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];

/**
 * Float32 arithmetic on f32x4 vectors. Kept results are assigned to locals by the statements in `setup`, which must
 * run in order before a result is used.
 */
export class VectorArithmetic implements Arithmetic<V128> {
  readonly setup: Stmt[] = [];
  private readonly f: FunctionBuilder;

  constructor(f: FunctionBuilder) {
    this.f = f;
    // formulas take `constant` off the object
    this.constant = this.constant.bind(this);
  }

  constant(value: number): V128 {
    return this.f.keptF32(value);
  }

  keep(x: V128): Local<'v128'> {
    const local = this.f.local('v128');
    this.setup.push(local.set(x));
    return local;
  }

  add(a: V128, b: V128): V128 {
    return this.f.op('f32x4', 'add', a, b);
  }

  sub(a: V128, b: V128): V128 {
    return this.f.op('f32x4', 'sub', a, b);
  }

  mul(a: V128, b: V128): V128 {
    return this.f.op('f32x4', 'mul', a, b);
  }

  div(a: V128, b: V128): V128 {
    return this.f.op('f32x4', 'div', a, b);
  }

  mulAdd(x: V128, factor: number, addend: number): V128 {
    const f = this.f;
    const four = this.keep(x);
    const constant = (v: number): V128 => f.bytes(new Uint8Array(new Float64Array(2).fill(Math.fround(v)).buffer));
    const half = (two: V128): V128 => {
      const wide = f.unary('f64x2', 'promote_low_f32x4', two);
      const sum = f.op('f64x2', 'add', f.op('f64x2', 'mul', wide, constant(factor)), constant(addend));
      return f.unary('f32x4', 'demote_f64x2_zero', sum);
    };
    return f.shuffle(half(four), half(f.shuffle(four, four, UPPER)), JOINED);
  }

  min(a: V128, b: V128): V128 {
    return this.f.op('f32x4', 'min', a, b);
  }

  max(a: V128, b: V128): V128 {
    return this.f.op('f32x4', 'max', a, b);
  }

  abs(x: V128): V128 {
    return this.f.unary('f32x4', 'abs', x);
  }

  neg(x: V128): V128 {
    return this.f.unary('f32x4', 'neg', x);
  }

  nearest(x: V128): V128 {
    return this.f.unary('f32x4', 'nearest', x);
  }

  pow2(n: V128): V128 {
    return this.f.shift('i32x4', 'shl', this.add(n, this.constant(MAGIC + 127)), 23);
  }

  exponent(x: V128): V128 {
    const f = this.f;
    const field = f.bitwise('and', f.shift('i32x4', 'shr_u', x, 23), f.kept(255));
    return f.unary('f32x4', 'convert_i32x4_s', field);
  }

  mantissa(x: V128): V128 {
    const f = this.f;
    return f.bitwise('or', f.bitwise('and', x, f.kept(0x7fffff)), f.kept(0x3f800000));
  }

  withSign(magnitude: V128, sign: V128): V128 {
    return this.f.bitwise('or', magnitude, this.f.bitwise('and', sign, this.f.kept(-0x80000000)));
  }

  whenLess(a: V128, b: V128, then: V128, otherwise: V128): V128 {
    return this.f.select(this.f.op('f32x4', 'lt', a, b), then, otherwise);
  }
}

type Formula = (a: Arithmetic<V128>, x: V128) => V128;

/** A formula of src/quant/math.ts as an emitter. `x` may be any expression; it is computed once. */
const emitter =
  (formula: Formula) =>
  (f: FunctionBuilder, x: V128): Computed => {
    const a = new VectorArithmetic(f);
    const value = formula(a, a.keep(x));
    return { setup: a.setup, value };
  };

/** e^x of four floats: the bits of `exp` of src/quant/math.ts. */
export const emitExp = emitter(expOf);
/** The natural logarithm of four floats: the bits of `log`. */
export const emitLog = emitter(logOf);
/** 1 / (1 + e^-x) of four floats: the bits of `sigmoid`. */
export const emitSigmoid = emitter(sigmoidOf);
/** The hyperbolic tangent of four floats: the bits of `tanh`. */
export const emitTanh = emitter(tanhOf);
/** The error function of four floats: the bits of `erf`. */
export const emitErf = emitter(erfOf);
/** log(1 + e^x) of four floats: the bits of `softplus`. */
export const emitSoftplus = emitter(softplusOf);
