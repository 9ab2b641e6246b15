import { type Arithmetic, expOf, logOf } from './math.js';

/**
 * x to the power of y, in float32: e^(y * ln |x|), with the sign of x where y is an odd integer; NaN for a negative x
 * and a fraction. Like pow of C for zeros and infinities. The error grows with the result's exponent, to about 40 ulp.
 */
export function powOf<T>(a: Arithmetic<T>, x: T, y: T): T {
  const c = a.constant;
  const size = expOf(a, a.keep(a.mul(y, logOf(a, a.keep(a.abs(x))))));
  const half = a.keep(a.mul(y, c(0.5)));
  // distance of y to the nearest integer, and of y / 2
  const fraction = a.abs(a.sub(y, a.nearest(y)));
  const odd = a.abs(a.sub(half, a.nearest(half)));
  const negative = a.whenLess(c(0), fraction, c(Number.NaN), a.whenLess(c(0), odd, a.neg(size), size));
  const signed = a.keep(a.whenLess(x, c(0), negative, size));
  // anything to the power of 0 is 1, and so is 1 to the power of anything
  const one = a.abs(a.mul(a.sub(x, c(1)), y));
  return a.keep(a.whenLess(c(0), one, signed, a.whenLess(one, c(1), c(1), signed)));
}
