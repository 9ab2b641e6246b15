import type { Arithmetic } from './math.js';

/** Pi / 2 in parts: multiples up to some thousands of the first two are exact in float32. */
const HALF_PI = [1.5703125, 4.837512969970703e-4, 7.549790126404332e-8] as const;

/** Sine and cosine of the remainder r of x = n * pi / 2 + r, and n modulo 4 in -2..2. Coefficients: Cephes sinf, cosf. */
function parts<T>(a: Arithmetic<T>, x: T): { sine: T; cosine: T; quarter: T } {
  const c = a.constant;
  const n = a.keep(a.nearest(a.mul(x, c(2 / Math.PI))));
  const r = a.keep(HALF_PI.reduce((rest, part) => a.sub(rest, a.mul(n, c(part))), x));
  const z = a.keep(a.mul(r, r));
  const poly = (list: readonly number[]): T =>
    list.slice(1).reduce((sum, v) => a.add(a.mul(sum, z), c(v)), c(list[0] as number));
  const sine = a.add(a.mul(a.mul(poly([-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1]), z), r), r);
  const even = a.mul(a.mul(poly([2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2]), z), z);
  const cosine = a.add(a.sub(even, a.mul(z, c(0.5))), c(1));
  const quarter = a.keep(a.sub(n, a.mul(a.nearest(a.mul(n, c(0.25))), c(4))));
  return { sine: a.keep(sine), cosine: a.keep(cosine), quarter };
}

/** sin(x), for |x| up to some thousands. */
export function sinOf<T>(a: Arithmetic<T>, x: T): T {
  const { sine, cosine, quarter } = parts(a, x);
  const c = a.constant;
  const whole = a.whenLess(a.abs(quarter), c(1), sine, a.neg(sine));
  const odd = a.whenLess(quarter, c(0), a.neg(cosine), cosine);
  return a.keep(pick(a, quarter, odd, whole));
}

/** cos(x), for |x| up to some thousands. */
export function cosOf<T>(a: Arithmetic<T>, x: T): T {
  const { sine, cosine, quarter } = parts(a, x);
  const c = a.constant;
  const whole = a.whenLess(a.abs(quarter), c(1), cosine, a.neg(cosine));
  const odd = a.whenLess(quarter, c(0), sine, a.neg(sine));
  return a.keep(pick(a, quarter, odd, whole));
}

/** `odd` where |quarter| is 1, `whole` where it is 0 or 2. */
const pick = <T>(a: Arithmetic<T>, quarter: T, odd: T, whole: T): T => {
  const c = a.constant;
  return a.whenLess(a.abs(a.sub(a.abs(quarter), c(1))), c(0.5), odd, whole);
};
