/** The other ops on codes against float64 evaluations of the same codes. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Attrs } from '../../src/ir/graph.js';
import { f32, type Tensor, tensor } from '../../src/ir/tensor.js';
import { codesType, perAxis, perTensor, type Quant, scaleAt, type TensorType, zeroPointAt } from '../../src/ir/type.js';
import { OPS } from '../../src/ops/index.js';
import type { Op } from '../../src/ops/op.js';
import { tableOf } from '../../src/ops/table.js';
import { dequantizeCode, quantizeCode } from '../../src/quant/rounding.js';
import { toReal } from '../../src/quant/tensors.js';
import { codes, expectClose, expectCodes, random, reals } from '../support/tensors.js';

const XQ = perTensor('u8', 0.05, 120);
const YQ = perTensor('i8', 0.043, -9);

/** Runs an op on codes to codes of a grid. */
function run(name: string, attrs: Attrs, inputs: readonly (Tensor | null)[], quant: Quant): Tensor {
  const op = OPS.get(name) as Op;
  const { shape } = op.infer(
    attrs,
    inputs.map((t) => t && { type: t.type }),
  )[0] as TensorType;
  const result = op.integer?.(attrs, inputs, codesType({ dtype: 'f32', shape, quant })) as Tensor;
  assert.equal(result.type.shape, shape);
  assert.is(result.type.quant, quant);
  return result;
}

/** Per-tensor codes as float64 reals. */
const exact = (t: Tensor): number[] => {
  const q = t.type.quant;
  return Array.from(t.data as Int8Array, (v) => (q ? (Number(v) - zeroPointAt(q, 0)) * scaleAt(q, 0) : Number(v)));
};

const inQuanta = (values: readonly number[], q: Quant): number[] => values.map((v) => v / scaleAt(q, 0));

for (const transposeWeights of [false, true])
  test(`fc and mul, weights ${transposeWeights ? '[N, K] per row' : '[K, N] per column'}`, () => {
    const next = random(11);
    const [rows, k, n] = [3, 37, 5];
    const axis = transposeWeights ? 0 : 1;
    const x = codes(next, [rows, k], XQ);
    const wq = perAxis('i8', axis, [0.01, 0.02, 0.03, 0.011, 0.002], [0, 3, -4, 0, 1]);
    const w = codes(next, transposeWeights ? [n, k] : [k, n], wq);
    const bias = reals(next, [n], 4);
    const at = (j: number, i: number): number => Number(w.data[transposeWeights ? j * k + i : i * n + j]);
    const xr = exact(x);
    const sums = Array.from({ length: rows * n }, (_, o) => {
      const [r, j] = [Math.floor(o / n), o % n];
      let sum = 0;
      for (let i = 0; i < k; i++) sum += (xr[r * k + i] as number) * (at(j, i) - zeroPointAt(wq, j)) * scaleAt(wq, j);
      return sum;
    });
    const attrs = { transposeWeights, activation: null };
    expectCodes(run('mul', attrs, [x, w], YQ), inQuanta(sums, YQ), 'mul');
    const biased = sums.map((s, o) => s + Number(bias.data[o % n]));
    expectCodes(run('fc', attrs, [x, w, bias], YQ), inQuanta(biased, YQ), 'fc');
    const relu = run('fc', { ...attrs, activation: { kind: 'relu' } }, [x, w, bias], YQ);
    expectCodes(
      relu,
      inQuanta(
        biased.map((v) => Math.max(v, 0)),
        YQ,
      ),
      'fc + relu',
    );
    const real = (OPS.get('fc') as Op).integer?.(attrs, [x, w, bias], { dtype: 'f32', shape: [rows, n] });
    expectClose(real, f32([rows, n], biased), 1e-6, 'fc to float');
  });

test('elementwise add, sub and mul with broadcasting and activations', () => {
  const next = random(5);
  const a = codes(next, [2, 3, 4], XQ);
  const b = codes(next, [3, 1], perTensor('i8', 0.02, 7));
  const [ra, rb] = [exact(a), exact(b)];
  const functions = {
    elementwise_add: (x: number, y: number) => x + y,
    elementwise_sub: (x: number, y: number) => x - y,
    elementwise_mul: (x: number, y: number) => x * y,
  };
  for (const [name, f] of Object.entries(functions)) {
    const values = ra.map((v, i) => f(v, rb[Math.floor(i / 4) % 3] as number));
    expectCodes(run(name, { activation: null }, [a, b], YQ), inQuanta(values, YQ), name);
    const clipped = run(name, { activation: { kind: 'clip', min: -1, max: 0.5 } }, [a, b], YQ);
    expectCodes(
      clipped,
      inQuanta(
        values.map((v) => Math.min(Math.max(v, -1), 0.5)),
        YQ,
      ),
      `${name} + clip`,
    );
    const leaky = run(name, { activation: { kind: 'leaky_relu', alpha: 0.25 } }, [a, b], YQ);
    expectCodes(
      leaky,
      inQuanta(
        values.map((v) => (v < 0 ? v * 0.25 : v)),
        YQ,
      ),
      `${name} + leaky_relu`,
    );
    const swapped = ra.map((v, i) => f(rb[Math.floor(i / 4) % 3] as number, v));
    expectCodes(
      run(name, { activation: null }, [toReal(b), a], YQ),
      inQuanta(swapped, YQ),
      `${name} with a float operand`,
    );
  }
});

const POOL = {
  strides: [1, 1],
  pads: [0, 0, 0, 0],
  dilations: [1, 1],
  global: false,
  countIncludePad: false,
  ceilMode: false,
};

test('average pool divides by the window inside the image, or by all of it', () => {
  const x = codes(random(3), [1, 2, 5, 5], XQ);
  const r = exact(x);
  for (const countIncludePad of [false, true]) {
    const attrs = { ...POOL, poolType: 'avg', ksize: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], countIncludePad };
    const values = Array.from({ length: 2 * 9 }, (_, i) => {
      const [c, oy, ox] = [Math.floor(i / 9), Math.floor(i / 3) % 3, i % 3];
      let [sum, n] = [0, 0];
      for (let y = oy * 2 - 1; y < oy * 2 + 2; y++)
        for (let p = ox * 2 - 1; p < ox * 2 + 2; p++)
          if (y >= 0 && y < 5 && p >= 0 && p < 5) {
            sum += r[(c * 5 + y) * 5 + p] as number;
            n++;
          }
      return sum / (countIncludePad ? 9 : n);
    });
    expectCodes(run('pool2d', attrs, [x], YQ), inQuanta(values, YQ), 'average');
  }
});

test('a pool without a grid of its own and a global pool', () => {
  const x = codes(random(4), [2, 3, 7, 7], XQ);
  const r = exact(x);
  const attrs = { ...POOL, poolType: 'avg', ksize: [1, 1], global: true };
  const means = Array.from({ length: 6 }, (_, c) => r.slice(c * 49, c * 49 + 49).reduce((a, b) => a + b, 0) / 49);
  expectCodes(run('pool2d', attrs, [x], XQ), inQuanta(means, XQ), 'global average');
  expectCodes(run('reduce_mean', { axes: [2, 3], keepDims: true }, [x], YQ), inQuanta(means, YQ), 'reduce_mean');
});

test('max pool selects codes; padding never wins', () => {
  const quant = perTensor('i8', 0.1, 100);
  const x = tensor(codesType({ dtype: 'f32', shape: [1, 1, 2, 2], quant }), Int8Array.of(-128, -100, -90, -50));
  const attrs = { ...POOL, poolType: 'max', ksize: [2, 2], pads: [1, 1, 1, 1] };
  assert.equal(
    Array.from(run('pool2d', attrs, [x], quant).data as Int8Array, Number),
    [-128, -100, -100, -90, -50, -50, -90, -50, -50],
  );
});

test('concat requantizes operands of other grids and keeps codes of its own', () => {
  const next = random(8);
  const parts = [codes(next, [2, 2, 3], YQ), codes(next, [2, 1, 3], XQ), reals(next, [2, 1, 3], 4)];
  const result = run('concat', { axis: 1 }, parts, YQ);
  const [a, b, c] = parts.map(exact) as [number[], number[], number[]];
  const values = [0, 1].flatMap((n) => [
    ...a.slice(n * 6, n * 6 + 6),
    ...b.slice(n * 3, n * 3 + 3),
    ...c.slice(n * 3, n * 3 + 3),
  ]);
  expectCodes(result, inQuanta(values, YQ), 'concat');
  assert.equal(Array.from(result.data.slice(0, 6) as Int8Array), Array.from(parts[0]?.data.slice(0, 6) as Int8Array));
});

test('requantize, quantize and dequantize', () => {
  const x = codes(random(9), [300], XQ);
  expectCodes(run('requantize', { quant: { ...YQ } }, [x], YQ), inQuanta(exact(x), YQ), 'requantize');
  const r = reals(random(10), [300], 9);
  assert.equal(
    Array.from(run('quantize', { quant: { ...XQ } }, [r], XQ).data as Uint8Array),
    Array.from(r.data as Float32Array, (v) => quantizeCode(Number(v), XQ)),
  );
  const back = (OPS.get('dequantize') as Op).integer?.({}, [x], { dtype: 'f32', shape: [300] });
  expectClose(back, f32([300], exact(x)), 1e-7);
});

test('tables hold the float reference for every code, also of narrowed ranges', () => {
  const op = OPS.get('sigmoid') as Op;
  const narrow = { ...perTensor('i8', 0.06, 3), min: -100 };
  const table = tableOf(op, {}, narrow, XQ);
  for (let byte = 0; byte < 256; byte++) {
    const code = Math.max(byte > 127 ? byte - 256 : byte, -100);
    const real = 1 / (1 + Math.exp(-dequantizeCode(code, narrow)));
    assert.ok(Math.abs((table[byte] as number) - quantizeCode(real, XQ)) <= 1);
  }
  assert.throws(() => tableOf(op, {}, perAxis('i8', 0, [1, 2]), XQ), /per-tensor/);
});

test.run();
