/** Quantized models in operator form: each operator against onnxruntime, and against the module of the QDQ form. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import { importOnnx } from '../../src/frontends/onnx/import.js';
import { OPS } from '../../src/ops/index.js';
import { interpret, outputsOf } from '../../src/ops/interpret.js';
import { identical, int8Ops, outcome } from '../support/compiled.js';
import type { Grid } from '../support/network.js';
import { randomFeeds } from '../support/op-check.js';
import { hasOrt, runOrt } from '../support/ort.js';
import { type Operand, QuantizedNetwork } from '../support/quantized-network.js';
import { programOf } from '../support/wasm-sections.js';

const u8 = (scale: number, zeroPoint: number): Grid => ({ dtype: 'u8', scale, zeroPoint });
const i8 = (scale: number, zeroPoint: number): Grid => ({ dtype: 'i8', scale, zeroPoint });
const IMAGE = [1, 4, 6, 6];

/** Networks of one operator or several, by name. */
const CASES: Readonly<Record<string, (q: QuantizedNetwork) => Operand>> = {
  'QLinearConv per tensor': (q) =>
    q.op('Conv', [q.input('x', IMAGE, u8(0.03, 120)), q.weights([5, 4, 3, 3])], u8(0.06, 128), {
      pads: [1, 1, 1, 1],
    }),
  'QLinearConv per filter with bias': (q) =>
    q.op(
      'Conv',
      [q.input('x', IMAGE, u8(0.03, 100)), q.weights([6, 4, 3, 3], { axis: 0 })],
      u8(0.06, 90),
      { strides: [2, 2] },
      6,
    ),
  'QLinearConv of uint8 weights': (q) =>
    q.op(
      'Conv',
      [q.input('x', IMAGE, u8(0.03, 100)), q.weights([6, 2, 1, 1], { dtype: 'u8', zero: 61 })],
      u8(0.03, 90),
      { group: 2 },
      6,
    ),
  'QLinearConv of int8': (q) =>
    q.op('Conv', [q.input('x', IMAGE, i8(0.03, -7)), q.weights([6, 4, 3, 3], { axis: 0 })], i8(0.06, 4), {}, 6),
  QLinearMatMul: (q) => q.op('MatMul', [q.input('x', [3, 8], u8(0.03, 9)), q.weights([8, 5])], u8(0.02, 128)),
  'QLinearMatMul per column': (q) =>
    q.op('MatMul', [q.input('x', [2, 3, 8], u8(0.03, 128)), q.weights([8, 5], { axis: 1 })], u8(0.02, 128)),
  QGemm: (q) => q.op('Gemm', [q.input('x', [3, 8], u8(0.03, 128)), q.weights([8, 5])], u8(0.02, 128), { transB: 0 }, 5),
  'QGemm per column, transposed': (q) =>
    q.op(
      'Gemm',
      [q.input('x', [3, 8], u8(0.03, 128)), q.weights([5, 8], { axis: 0 })],
      u8(0.02, 128),
      { transB: 1 },
      5,
    ),
  QLinearAdd: (q) =>
    q.op('Add', [q.input('x', IMAGE, u8(0.02, 128)), q.input('z', IMAGE, u8(0.03, 100))], u8(0.0437, 99)),
  'QLinearAdd of int8, broadcast': (q) =>
    q.op('Add', [q.input('x', IMAGE, i8(0.02, 3)), q.input('z', [1, 4, 1, 1], i8(0.03, 0))], i8(0.0437, -4)),
  QLinearMul: (q) =>
    q.op('Mul', [q.input('x', IMAGE, u8(0.02, 128)), q.input('z', IMAGE, u8(0.03, 100))], u8(0.05, 99)),
  QLinearAveragePool: (q) =>
    q.op('AveragePool', [q.input('x', IMAGE, u8(0.02, 120))], u8(0.015, 128), {
      kernel_shape: [3, 3],
      pads: [1, 1, 1, 1],
      strides: [2, 2],
    }),
  QLinearGlobalAveragePool: (q) =>
    q.op(
      'GlobalAveragePool',
      [q.input('x', IMAGE, u8(0.02, 120))],
      u8(0.005, 128),
      q.form === 'qdq' ? {} : { channels_last: 0 },
    ),
  QLinearConcat: (q) =>
    q.op('Concat', [q.input('x', IMAGE, u8(0.02, 120)), q.input('z', [1, 2, 6, 6], u8(0.03, 99))], u8(0.025, 111), {
      axis: 1,
    }),
  QLinearSigmoid: (q) => q.op('Sigmoid', [q.input('x', IMAGE, u8(0.03, 120))], u8(1 / 256, 0)),
  QLinearLeakyRelu: (q) => q.op('LeakyRelu', [q.input('x', IMAGE, i8(0.03, 10))], i8(0.02, -90), { alpha: 0.125 }),
  'a small network': (q) => {
    const x = q.input('x', [1, 3, 12, 12], u8(0.02, 128));
    const pads = [1, 1, 1, 1];
    const stem = q.op('Conv', [x, q.weights([8, 3, 3, 3], { axis: 0 })], u8(0.03, 0), { pads }, 8);
    const pool = q.move('MaxPool', stem, { kernel_shape: [2, 2], strides: [2, 2] });
    const body = q.op('Conv', [pool, q.weights([8, 8, 3, 3], { axis: 0 })], u8(0.05, 128), { pads }, 8);
    const leaky = q.op('LeakyRelu', [body], u8(0.04, 30), { alpha: 0.1 });
    const sum = q.op('Add', [leaky, pool], u8(0.06, 20));
    const depthwise = q.op('Conv', [sum, q.weights([8, 1, 3, 3], { axis: 0 })], u8(0.05, 110), { pads, group: 8 }, 8);
    const gate = q.op('Sigmoid', [depthwise], u8(1 / 256, 0));
    const gated = q.op('Mul', [depthwise, gate], u8(0.03, 60));
    const joined = q.op('Concat', [gated, sum], u8(0.05, 60), { axis: 1 });
    const mean = q.op('GlobalAveragePool', [joined], u8(0.02, 60));
    return q.op('Gemm', [q.move('Flatten', mean), q.weights([10, 16])], u8(0.02, 128), { transB: 1 }, 10);
  },
};

/** The two forms of a case, giving real numbers. */
const bothForms = (build: (q: QuantizedNetwork) => Operand): Uint8Array[] =>
  (['qdq', 'operator'] as const).map((form) => {
    const q = new QuantizedNetwork(form, 5);
    return q.net.bytes([q.real(build(q))]);
  });

/** The distance of two levels of the values of a tensor. */
const quantum = (values: readonly number[]): number => {
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  return Math.min(...sorted.slice(1).map((v, i) => v - (sorted[i] as number)));
};

async function checkAgainstOrt(bytes: Uint8Array): Promise<void> {
  const graph = importOnnx(bytes);
  const feeds = randomFeeds(graph, 77, 2);
  const expected = Object.values(await runOrt(bytes, feeds)).map((t) => Array.from(t.data as Float32Array));
  const actual = Object.values(outputsOf(graph, interpret(graph, OPS, feeds))).map((t) =>
    Array.from(t.data as Float32Array),
  );
  expected.forEach((values, i) => {
    const step = quantum(values);
    const off = values.filter((v, k) => v !== actual[i]?.[k]);
    assert.ok(off.length <= values.length * 0.02, `${off.length} of ${values.length} differ`);
    for (const [k, v] of values.entries())
      assert.ok(Math.abs(v - (actual[i]?.[k] as number)) < 1.5 * step, `${v} expected, not ${actual[i]?.[k]}`);
  });
}

for (const [name, build] of Object.entries(CASES)) {
  if (hasOrt('the operator form against onnxruntime'))
    test(`${name}, against onnxruntime`, () => checkAgainstOrt(bothForms(build)[1] as Uint8Array));

  test(`${name}, the module of the QDQ form`, async () => {
    const [qdq, operator] = await Promise.all(bothForms(build).map((bytes) => compile(bytes)));
    assert.equal(programOf(operator.wasm), programOf(qdq.wasm));
    const types = (r: typeof qdq): string[] => r.report.ops.map((o) => `${o.type} ${o.int8}`);
    assert.equal(types(operator), types(qdq));
    assert.ok(identical(await outcome(bothForms(build)[1] as Uint8Array)));
  });
}

test('a network of operators is int8 throughout, and its ids are those of the source', async () => {
  const [, bytes] = bothForms(CASES['a small network'] as (q: QuantizedNetwork) => Operand);
  const { report } = await compile(bytes as Uint8Array);
  assert.is(int8Ops(report).filter((type) => type === 'conv2d' || type === 'depthwise_conv2d').length, 3);
  const { nodes } = importOnnx(bytes as Uint8Array);
  for (const [type, op] of [
    ['QLinearAdd', 'elementwise_add'],
    ['QLinearConcat', 'concat'],
    ['QGemm', 'fc'],
  ])
    assert.ok(
      nodes.some((n) => n.op === op && n.origin?.type === type && n.id < 20),
      `${type} has an id of its own`,
    );
});

test.run();
