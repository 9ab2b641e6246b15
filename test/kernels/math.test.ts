import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { V128 } from '../../src/codegen/builder/expr.js';
import type { FunctionBuilder } from '../../src/codegen/builder/function.js';
import {
  type Computed,
  emitErf,
  emitExp,
  emitLog,
  emitSigmoid,
  emitSoftplus,
  emitTanh,
} from '../../src/codegen/kernels/math.js';
import { erf, exp, log, sigmoid, softplus, tanh } from '../../src/quant/math.js';
import { compileFunction } from '../support/kernel-memory.js';

const N = 16384;

/** Floats spread evenly over all bit patterns, and over a range, with extremes. */
function samples(low: number, high: number): Float32Array {
  const out = new Float32Array(N);
  const bits = new Uint32Array(out.buffer);
  for (let i = 0; i < N / 2; i++) bits[i] = Math.imul(i, 0x9e3779b1) >>> 0;
  for (let i = N / 2; i < N; i++) out[i] = low + ((high - low) * (i - N / 2)) / (N / 2 - 1);
  out.set([0, -0, 1e-45, -1e-45, 1.1754942e-38, 3.4028235e38, -3.4028235e38, Infinity, -Infinity, 88.72284, 88.7229]);
  return out.filter((v) => !Number.isNaN(v));
}

/** Distance in units in the last place of the float32 nearest to the true value. */
function ulps(actual: number, truth: number): number {
  const rounded = Math.abs(Math.fround(truth));
  if (!Number.isFinite(rounded)) return actual === Math.fround(truth) ? 0 : Infinity;
  const exponent = Math.max(-126, Math.floor(Math.log2(rounded || 1e-45)));
  return Math.abs(actual - truth) / 2 ** (exponent - 23);
}

/** erf in float64: its series, and a continued fraction for the complement. */
function erf64(x: number): number {
  const t = Math.abs(x);
  if (t > 6) return Math.sign(x);
  if (t < 3) {
    let sum = 0;
    let term = t;
    for (let n = 0; n < 80; n++) {
      sum += term / (2 * n + 1);
      term *= (-t * t) / (n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let k = 60; k > 0; k--) fraction = k / 2 / (t + fraction);
  return Math.sign(x) * (1 - Math.exp(-t * t) / (Math.sqrt(Math.PI) * (t + fraction)));
}

interface Case {
  readonly name: string;
  readonly scalar: (x: number) => number;
  readonly truth: (x: number) => number;
  readonly emit: (f: FunctionBuilder, x: V128) => Computed;
  readonly range: readonly [number, number];
  /** True values below are flushed to zero or lose bits. */
  readonly floor: number;
}

const log1p = (x: number): number => Math.log1p(x);
const CASES: readonly Case[] = [
  { name: 'exp', scalar: exp, truth: Math.exp, emit: emitExp, range: [-105, 90], floor: 0 },
  { name: 'log', scalar: log, truth: Math.log, emit: emitLog, range: [0, 8], floor: 0 },
  {
    name: 'sigmoid',
    scalar: sigmoid,
    truth: (x) => 1 / (1 + Math.exp(-x)),
    emit: emitSigmoid,
    range: [-90, 30],
    floor: 0,
  },
  { name: 'tanh', scalar: tanh, truth: Math.tanh, emit: emitTanh, range: [-10, 10], floor: 0 },
  { name: 'erf', scalar: erf, truth: erf64, emit: emitErf, range: [-5, 5], floor: 0 },
  {
    name: 'softplus',
    scalar: softplus,
    truth: (x) => Math.max(x, 0) + log1p(Math.exp(-Math.abs(x))),
    emit: emitSoftplus,
    range: [-100, 20],
    floor: 0,
  },
];

for (const c of CASES) {
  test(`${c.name}: at most 4 ulp from float64, no NaN for numbers`, () => {
    let worst = 0;
    let at = 0;
    for (const x of samples(...c.range)) {
      if (c.name === 'log' && x < 0) continue;
      const y = c.scalar(x);
      assert.not(Number.isNaN(y), `${c.name}(${x}) is NaN`);
      const e = ulps(y, c.truth(x));
      if (e > worst) [worst, at] = [e, x];
    }
    if (process.env.QC_VERBOSE) console.log(c.name, worst, 'ulp at', at);
    assert.ok(worst <= 4, `${c.name}: ${worst} ulp at ${at}`);
  });

  test(`${c.name}: the SIMD form gives the same bits`, () => {
    const x = samples(...c.range);
    const bytes = new Uint8Array(65536 * 4);
    new Float32Array(bytes.buffer).set(x);
    const run = compileFunction(
      { params: ['i32', 'i32'] },
      (f) => {
        const source = f.param(0, 'i32');
        const target = f.param(1, 'i32');
        const y = c.emit(f, f.load(source));
        return [
          f.repeat(Math.floor(x.length / 4), [
            ...y.setup,
            f.store(target, y.value),
            f.advance(source, 16),
            f.advance(target, 16),
          ]),
        ];
      },
      4,
    );
    const out = new Float32Array(run(bytes, [0, 65536 * 2]).buffer, 65536 * 2);
    for (let i = 0; i < x.length - 3; i++) {
      const y = c.scalar(x[i]!);
      if (!Object.is(y, out[i])) assert.unreachable(`${c.name}(${x[i]}): scalar ${y}, SIMD ${out[i]}`);
    }
  });
}

test('infinities, overflow and underflow', () => {
  assert.is(exp(-Infinity), 0);
  assert.is(exp(-110), 0);
  assert.is(exp(100), Infinity);
  assert.is(exp(0), 1);
  assert.is(tanh(1e30), 1);
  assert.is(tanh(-Infinity), -1);
  assert.is(erf(7), 1);
  assert.is(erf(-1e38), -1);
  assert.is(sigmoid(-Infinity), 0);
  assert.is(sigmoid(200), 1);
  assert.is(log(0), -Infinity);
  assert.is(log(Infinity), Infinity);
  assert.is(log(1), 0);
  assert.ok(Number.isNaN(log(-1)));
  assert.ok(Number.isNaN(exp(Number.NaN)) && Number.isNaN(tanh(Number.NaN)));
});

test.run();
