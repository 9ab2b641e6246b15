import { roundEven } from './rounding.js';

/**
 * The float32 functions of the numeric contract, from basic operations only, because Math.exp and its like differ
 * between engines. Each formula stands here once, over an `Arithmetic`: numbers (references, tables) or SIMD vectors
 * (src/codegen/kernels/math.ts), which gives equal bits by construction.
 *
 * Largest errors against float64 over a sample of the floats (test/kernels/math.test.ts asserts 4 ulp): exp 0.94 ulp,
 * log 0.74, sigmoid 1.7, tanh 1.0, erf 0.96, softplus 2.1.
 */

/** Operations that are exact or correctly rounded in float32, on numbers or on vectors of them. */
export interface Arithmetic<T> {
  constant(value: number): T;
  /** Names an intermediate result; everything used more than once must be kept. */
  keep(x: T): T;
  add(a: T, b: T): T;
  sub(a: T, b: T): T;
  mul(a: T, b: T): T;
  div(a: T, b: T): T;
  /** f32(x * factor + addend), the product and the sum in float64. */
  mulAdd(x: T, factor: number, addend: number): T;
  /** NaN if one operand is NaN. */
  min(a: T, b: T): T;
  max(a: T, b: T): T;
  abs(x: T): T;
  neg(x: T): T;
  /** Nearest integer, ties to even. */
  nearest(x: T): T;
  /** 2 to the power of an integer in -126..127. */
  pow2(n: T): T;
  /** The biased exponent bits of a float as a number: floor(log2(x)) + 127 for normal positive x. */
  exponent(x: T): T;
  /** The mantissa of a float with the exponent of 1: in [1, 2). */
  mantissa(x: T): T;
  /** A non-negative magnitude with the sign of another value. */
  withSign(magnitude: T, sign: T): T;
  /** a < b ? then : otherwise. */
  whenLess(a: T, b: T, then: T, otherwise: T): T;
}

const f32 = Math.fround;
const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The sign bit of a number that is not NaN. */
const isNegative = (x: number): boolean => x < 0 || Object.is(x, -0);

const fromBits = (pattern: number): number => {
  bits[0] = pattern;
  return float[0]!;
};

const toBits = (x: number): number => {
  float[0] = x;
  return bits[0]!;
};

/** Float32 arithmetic on numbers. */
export const SCALAR: Arithmetic<number> = {
  constant: f32,
  keep: (x) => x,
  add: (a, b) => f32(a + b),
  sub: (a, b) => f32(a - b),
  mul: (a, b) => f32(a * b),
  div: (a, b) => f32(a / b),
  mulAdd: (x, factor, addend) => f32(x * f32(factor) + f32(addend)),
  min: Math.min,
  max: Math.max,
  abs: Math.abs,
  neg: (x) => -x,
  nearest: roundEven,
  pow2: (n) => fromBits((n + 127) << 23),
  exponent: (x) => (toBits(x) >>> 23) & 255,
  mantissa: (x) => fromBits((toBits(x) & 0x7fffff) | 0x3f800000),
  withSign: (magnitude, sign) => (isNegative(sign) ? -magnitude : magnitude),
  whenLess: (a, b, then, otherwise) => (a < b ? then : otherwise),
};

/** Horner's scheme, coefficients from the highest power down. */
function polynomial<T>(a: Arithmetic<T>, x: T, coefficients: readonly number[]): T {
  const [first, ...rest] = coefficients.map((c) => a.constant(c));
  return rest.reduce((sum, c) => a.add(a.mul(sum, x), c), first!);
}

/** e^x: 0 and denormal numbers at the low end, infinity above 88.7. Coefficients: Cephes expf. */
export function expOf<T>(a: Arithmetic<T>, x: T): T {
  const c = a.constant;
  const limited = a.keep(a.min(a.max(x, c(-104)), c(89)));
  const n = a.keep(a.nearest(a.mul(limited, c(Math.LOG2E))));
  // ln 2 in two parts; n times the first is exact
  const r = a.keep(a.sub(a.sub(limited, a.mul(n, c(0.693359375))), a.mul(n, c(-2.1219444e-4))));
  const p = polynomial(
    a,
    r,
    [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1],
  );
  const mantissa = a.add(a.add(a.mul(p, a.mul(r, r)), r), c(1));
  // two factors, so that the exponents of denormal numbers and of infinity can be reached
  const half = a.keep(a.nearest(a.mul(n, c(0.5))));
  return a.keep(a.mul(a.mul(mantissa, a.pow2(half)), a.pow2(a.sub(n, half))));
}

/** Natural logarithm: -Infinity for 0, NaN below. Coefficients: Cephes logf. */
export function logOf<T>(a: Arithmetic<T>, x: T): T {
  const c = a.constant;
  const tiny = 2 ** -126;
  const scaled = a.keep(a.whenLess(x, c(tiny), a.mul(x, c(2 ** 24)), x));
  const bias = a.whenLess(x, c(tiny), c(127 + 24), c(127));
  const raw = a.keep(a.mantissa(scaled));
  const upper = (then: T, otherwise: T): T => a.whenLess(c(Math.SQRT2), raw, then, otherwise);
  const e = a.keep(a.add(a.sub(a.exponent(scaled), bias), upper(c(1), c(0))));
  const r = a.keep(a.sub(upper(a.mul(raw, c(0.5)), raw), c(1)));
  const z = a.keep(a.mul(r, r));
  const p = polynomial(
    a,
    r,
    [7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1].concat([
      2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    ]),
  );
  const tail = a.add(a.mul(a.mul(p, r), z), a.mul(e, c(-2.1219444e-4)));
  const finite = a.add(a.add(r, a.sub(tail, a.mul(z, c(0.5)))), a.mul(e, c(0.693359375)));
  const largest = c(3.4028234663852886e38);
  const positive = a.whenLess(c(0), x, a.whenLess(largest, x, x, finite), a.div(c(-1), c(0)));
  return a.keep(a.whenLess(x, c(0), c(Number.NaN), positive));
}

/** 1 / (1 + e^-x). */
export function sigmoidOf<T>(a: Arithmetic<T>, x: T): T {
  const one = a.constant(1);
  const e = expOf(a, a.neg(a.abs(x)));
  return a.keep(a.div(a.whenLess(x, a.constant(0), e, one), a.add(one, e)));
}

/** Hyperbolic tangent. Coefficients: Cephes tanhf. */
export function tanhOf<T>(a: Arithmetic<T>, x: T): T {
  const c = a.constant;
  const t = a.keep(a.abs(x));
  const z = a.keep(a.mul(t, t));
  const p = polynomial(
    a,
    z,
    [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1],
  );
  const small = a.add(a.mul(a.mul(p, z), t), t);
  const large = a.sub(c(1), a.div(c(2), a.add(expOf(a, a.add(t, t)), c(1))));
  return a.keep(a.withSign(a.whenLess(t, c(0.625), small, large), x));
}

/** The error function. Minimax coefficients after N. Juffa. */
export function erfOf<T>(a: Arithmetic<T>, x: T): T {
  const c = a.constant;
  // beyond 4 the float32 result is 1, and the polynomial would not stay below its exponent
  const t = a.keep(a.min(a.abs(x), c(4)));
  const s = a.keep(a.mul(t, t));
  const inner = polynomial(
    a,
    s,
    [-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1],
  );
  const outer = polynomial(
    a,
    t,
    [-1.7285347e-5, 3.83197126e-4, -3.88396438e-3, 2.42546219e-2, -1.06777877e-1, -6.34846687e-1, -1.28717512e-1],
  );
  const large = a.sub(c(1), expOf(a, a.sub(a.mul(outer, t), t)));
  return a.keep(a.withSign(a.whenLess(t, c(0.927734375), a.add(a.mul(inner, t), t), large), x));
}

/** log(1 + e^x). */
export function softplusOf<T>(a: Arithmetic<T>, x: T): T {
  const c = a.constant;
  const e = expOf(a, a.neg(a.abs(x)));
  const u = a.keep(a.add(c(1), e));
  // log(1 + e): the quotient undoes the rounding of 1 + e
  const d = a.keep(a.sub(u, c(1)));
  const log = a.whenLess(c(0), d, a.mul(logOf(a, u), a.div(e, d)), e);
  return a.keep(a.add(a.max(x, c(0)), log));
}

/** e^x in float32. */
export const exp = (x: number): number => expOf(SCALAR, f32(x));
/** ln(x) in float32. */
export const log = (x: number): number => logOf(SCALAR, f32(x));
/** 1 / (1 + e^-x) in float32. */
export const sigmoid = (x: number): number => sigmoidOf(SCALAR, f32(x));
/** tanh(x) in float32. */
export const tanh = (x: number): number => tanhOf(SCALAR, f32(x));
/** erf(x) in float32. */
export const erf = (x: number): number => erfOf(SCALAR, f32(x));
/** log(1 + e^x) in float32. */
export const softplus = (x: number): number => softplusOf(SCALAR, f32(x));
