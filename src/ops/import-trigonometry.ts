import type { Value } from '../ir/graph.js';
import { apply, combine, scalarOf } from './compose.js';
import type { ImportContext, OnnxImporter } from './import-context.js';

/** Formulas of reals over the context of one node. */
class Formula {
  private readonly context: ImportContext;

  constructor(context: ImportContext) {
    this.context = context;
  }

  private value = (v: Value | number): Value => (typeof v === 'number' ? scalarOf(this.context, 'f32', v) : v);
  private pair = (op: string, a: Value | number, b: Value | number): Value =>
    combine(this.context, op, this.value(a), this.value(b));

  add = (a: Value | number, b: Value | number): Value => this.pair('elementwise_add', a, b);
  sub = (a: Value | number, b: Value | number): Value => this.pair('elementwise_sub', a, b);
  mul = (a: Value | number, b: Value | number): Value => this.pair('elementwise_mul', a, b);
  div = (a: Value | number, b: Value | number): Value => this.pair('elementwise_div', a, b);
  fn = (op: string, x: Value): Value => apply(this.context, op, x);
  /** Where a < b. */
  whenLess = (a: Value | number, b: Value | number, then: Value | number, otherwise: Value | number): Value =>
    this.context.add('where', {}, [this.pair('less_than', a, b), this.value(then), this.value(otherwise)]);

  /** The half difference of e^x and e^-x; a series near 0, where the difference would cancel. */
  sinh(x: Value): Value {
    const { add, sub, mul, div, fn } = this;
    const e = fn('exp', x);
    const z = fn('square', x);
    const series = mul(x, add(mul(add(mul(z, 1 / 120), 1 / 6), z), 1));
    return this.whenLess(
      fn('abs', x),
      0.5,
      add(series, mul(mul(x, mul(z, mul(z, z))), 1 / 5040)),
      mul(sub(e, div(1, e)), 0.5),
    );
  }

  cosh(x: Value): Value {
    const e = this.fn('exp', x);
    return this.mul(this.add(e, this.div(1, e)), 0.5);
  }

  /** log(|x| + sqrt(x^2 + 1)) with the sign of x; a series near 0. */
  asinh(x: Value): Value {
    const { add, mul, fn } = this;
    const [a, z] = [fn('abs', x), fn('square', x)];
    const far = mul(fn('sign', x), fn('log', add(a, fn('sqrt', add(z, 1)))));
    const terms = [1, -1 / 6, 3 / 40, -15 / 336, 105 / 3456];
    return this.whenLess(a, 0.25, mul(x, this.polynomial(z, terms)), far);
  }

  acosh(x: Value): Value {
    const { add, sub, mul, fn } = this;
    return fn('log', add(x, mul(fn('sqrt', sub(x, 1)), fn('sqrt', add(x, 1)))));
  }

  /** Half the logarithm of (1 + x) / (1 - x); a series near 0. */
  atanh(x: Value): Value {
    const { add, sub, mul, div, fn } = this;
    const far = mul(fn('log', div(add(x, 1), sub(1, x))), 0.5);
    const terms = [1, 1 / 3, 1 / 5, 1 / 7, 1 / 9, 1 / 11];
    return this.whenLess(fn('abs', x), 0.25, mul(x, this.polynomial(fn('square', x), terms)), far);
  }

  /** By thirds of the quadrant. Source: Cephes, atanf. */
  atan(x: Value): Value {
    const { add, sub, mul, div, fn } = this;
    const a = fn('abs', x);
    const [steep, flat] = [2.414213562373095, 0.4142135623730951];
    const middle = this.whenLess(flat, a, div(sub(a, 1), add(a, 1)), a);
    const t = this.whenLess(steep, a, div(-1, a), middle);
    const base = this.whenLess(steep, a, Math.PI / 2, this.whenLess(flat, a, Math.PI / 4, 0));
    const z = fn('square', t);
    const terms = [-3.33329491539e-1, 1.99777106478e-1, -1.38776856032e-1, 8.05374449538e-2];
    const y = add(base, add(t, mul(mul(this.polynomial(z, terms), z), t)));
    return mul(fn('sign', x), y);
  }

  asin(x: Value): Value {
    const { sub, div, fn, add, mul } = this;
    return this.atan(div(x, fn('sqrt', mul(sub(1, x), add(x, 1)))));
  }

  acos = (x: Value): Value => this.sub(Math.PI / 2, this.asin(x));
  tan = (x: Value): Value => this.div(this.fn('sin', x), this.fn('cos', x));

  private polynomial(z: Value, terms: readonly number[]): Value {
    const [second, last] = terms.slice(-2) as [number, number];
    const start = this.add(this.mul(z, last), second);
    return terms.slice(0, -2).reduceRight<Value>((sum, term) => this.add(this.mul(sum, z), term), start);
  }
}

type Name = 'sinh' | 'cosh' | 'tan' | 'asin' | 'acos' | 'atan' | 'asinh' | 'acosh' | 'atanh';

/** The importer of a trigonometric or hyperbolic function, as a formula of other ops. */
export const importTrigonometry =
  (name: Name): OnnxImporter =>
  (context) =>
    new Formula(context)[name](context.input(0));
