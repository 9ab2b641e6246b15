/**
 * Shapes, axes, places and scales as inputs of the network: with the shape that the model states for its result, and bound
 * when it is compiled, both give the same numbers. What the stated shape leaves open is refused, with the remedy.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import type { Tensor } from '../../src/ir/tensor.js';
import { sizeOf } from '../../src/ir/type.js';
import type { CompileOptions, InputValue } from '../../src/options.js';
import { runTwice } from '../support/compiled.js';
import { random } from '../support/network.js';
import { type AttrSpec, type ModelSpec, model as onnxBytes } from '../support/onnx.js';

/** One operand that may be an input: int64 unless said otherwise. */
interface Operand {
  readonly dtype?: 'i64' | 'f32' | 'u8';
  readonly shape?: readonly number[];
  readonly data: readonly number[];
}

interface Case {
  readonly op: string;
  readonly opset?: number;
  readonly attrs?: Record<string, AttrSpec>;
  /** The shape of the first operand; none where there is no data operand. */
  readonly x: readonly number[] | null;
  readonly operands: readonly (Operand | null)[];
  readonly outputs: readonly (readonly number[])[];
}

const list = (...data: number[]): Operand => ({ data });
const floats = (...data: number[]): Operand => ({ dtype: 'f32', data });
const scalar = (value: number, dtype: 'i64' | 'f32' = 'i64'): Operand => ({ dtype, shape: [], data: [value] });
const shapeOf = ({ shape, data }: Operand): readonly number[] => shape ?? [data.length];

function modelOf({ op, opset = 13, attrs = {}, x, operands, outputs }: Case, states: boolean): ModelSpec {
  const named = operands.flatMap((operand, i) =>
    operand ? [[`p${i}`, { shape: shapeOf(operand), dtype: operand.dtype ?? 'i64' }] as const] : [],
  );
  const names = operands.map((operand, i) => (operand ? `p${i}` : ''));
  return {
    opset,
    inputs: { ...(x ? { x } : {}), ...Object.fromEntries(named) },
    nodes: [{ op, attrs, inputs: [...(x ? ['x'] : []), ...names], outputs: outputs.map((_, i) => `y${i}`) }],
    outputs: Object.fromEntries(outputs.map((shape, i) => [`y${i}`, { shape: states ? shape : null }])),
  };
}

function tensorOf(operand: Operand): Tensor {
  const { dtype = 'i64', data } = operand;
  const elements = {
    i64: () => BigInt64Array.from(data, BigInt),
    f32: () => Float32Array.from(data),
    u8: () => Uint8Array.from(data),
  };
  return { type: { dtype, shape: shapeOf(operand) }, data: elements[dtype]() };
}

async function resultsOf(given: Case, options: CompileOptions): Promise<{ values: number[][]; inputs: string[] }> {
  const { wasm, report } = await compile(onnxBytes(modelOf(given, true)), options);
  const next = random(11);
  const feeds: Record<string, Tensor> = Object.fromEntries(
    given.operands.flatMap((operand, i) => (operand ? [[`p${i}`, tensorOf(operand)]] : [])),
  );
  const { x } = given;
  if (x) feeds.x = { type: { dtype: 'f32', shape: x }, data: Float32Array.from({ length: sizeOf(x) }, next) };
  const inputs = report.entries[0]?.inputs.map(({ name }) => name) ?? [];
  const results = runTwice(wasm, feeds);
  return { values: given.outputs.map((_, i) => Array.from(results[`y${i}`] as Iterable<number>, Number)), inputs };
}

const valuesOf = ({ operands }: Case): Record<string, InputValue> =>
  Object.fromEntries(
    operands.flatMap((o, i) => (o ? [[`p${i}`, { shape: shapeOf(o), values: o.data }] as const] : [])),
  );

async function expectSame(given: Case, tolerance = 0): Promise<void> {
  const [open, bound] = [await resultsOf(given, {}), await resultsOf(given, { inputValues: valuesOf(given) })];
  assert.equal(open.inputs, [...(given.x ? ['x'] : []), ...Object.keys(valuesOf(given))]);
  assert.equal(bound.inputs, given.x ? ['x'] : []);
  bound.values.forEach((expected, output) => {
    assert.is(open.values[output]?.length, expected.length);
    expected.forEach((v, i) => {
      const actual = open.values[output]?.[i] as number;
      assert.ok(
        Math.abs(actual - v) <= tolerance,
        `${given.op} ${JSON.stringify([given.attrs, given.operands])} ${output}[${i}]: ${actual}, bound ${v}`,
      );
    });
  });
}

const CASES: readonly Case[] = [
  ...[[0], [1], [-1]].map((axes): Case => {
    return {
      op: 'ReduceMax',
      opset: 18,
      x: [3, 3, 3],
      attrs: { keepdims: 0 },
      operands: [list(...axes)],
      outputs: [[3, 3]],
    };
  }),
  { op: 'ReduceL2', opset: 18, x: [2, 2, 2], attrs: { keepdims: 0 }, operands: [list(2, 0)], outputs: [[2]] },
  { op: 'ReduceLogSumExp', opset: 18, x: [2, 1, 2], attrs: { keepdims: 0 }, operands: [list(1, 2)], outputs: [[2]] },
  { op: 'Reshape', x: [2, 3, 4], operands: [list(0, -1)], outputs: [[2, 12]] },
  { op: 'Squeeze', x: [1, 3, 1], operands: [list(0)], outputs: [[3, 1]] },
  { op: 'Unsqueeze', x: [3, 2], operands: [list(2, 0)], outputs: [[1, 3, 1, 2]] },
  { op: 'Expand', x: [3, 1], operands: [list(2, 1, 4)], outputs: [[2, 3, 4]] },
  { op: 'Tile', x: [1, 3], operands: [list(2, 2)], outputs: [[2, 6]] },
  {
    op: 'TopK',
    x: [3, 5],
    operands: [list(2)],
    outputs: [
      [3, 2],
      [3, 2],
    ],
  },
  {
    op: 'Split',
    x: [2, 6],
    attrs: { axis: 1 },
    operands: [list(1, 3, 2)],
    outputs: [
      [2, 1],
      [2, 3],
      [2, 2],
    ],
  },
  { op: 'ConstantOfShape', x: null, operands: [list(2, 3)], outputs: [[2, 3]] },
  { op: 'Range', x: null, operands: [scalar(3), scalar(-5), scalar(-3)], outputs: [[3]] },
  { op: 'Trilu', opset: 14, x: [2, 3, 4], operands: [scalar(-1)], outputs: [[2, 3, 4]] },
  { op: 'Trilu', opset: 14, attrs: { upper: 0 }, x: [4, 3], operands: [scalar(1)], outputs: [[4, 3]] },
  { op: 'ReduceSum', x: [3, 1, 4], operands: [list(-1)], outputs: [[3, 1, 1]] },
  { op: 'ReduceSum', x: [3, 1, 4], attrs: { keepdims: 0 }, operands: [list(2)], outputs: [[3, 1]] },
  { op: 'ReduceSum', x: [3, 4], attrs: { keepdims: 0 }, operands: [list(0, 1)], outputs: [[]] },
  { op: 'ReduceMax', opset: 18, x: [3, 4], operands: [list(0)], outputs: [[1, 4]] },
];

for (const given of CASES) test(`${given.op} of a stated shape`, () => expectSame(given));

test('Slice at computed places', async () => {
  const slice = (x: number[], outputs: number[][], ...operands: (Operand | null)[]): Promise<void> =>
    expectSame({ op: 'Slice', x, operands, outputs });
  await slice([6, 5], [[3, 5]], list(1), list(4), list(0));
  await slice([6, 5], [[4, 2]], list(-5, 3), list(-1, 99));
  await slice([6, 5], [[6, 2]], list(99), list(-99), list(-1), list(-4));
  await slice([6, 5], [[2, 5]], list(0, 4), list(4, -99), list(0, 1), list(2, -1));
  await slice([4, 5], [[4, 0]], list(4), list(4), list(1));
});

test('Pad by computed borders', async () => {
  const pad = (mode: string, x: number[], output: number[], ...operands: (Operand | null)[]): Promise<void> =>
    expectSame({ op: 'Pad', opset: 19, attrs: { mode }, x, operands, outputs: [output] });
  for (const mode of ['constant', 'edge', 'reflect', 'wrap']) {
    await pad(mode, [3, 4], [6, 5], list(2, 0, 1, 1));
    await pad(mode, [3, 4], [3, 3], list(-1, 0, 1, -1));
  }
  await pad('constant', [3, 4], [4, 4], list(0, 0, 1, 0), scalar(2.5, 'f32'));
  await pad('constant', [3, 4], [3, 7], list(1, 2), scalar(-1, 'f32'), list(1));
});

test('Resize by computed scales, sizes and regions', async () => {
  const resize = (attrs: Record<string, AttrSpec>, output: number[], ...operands: (Operand | null)[]): Promise<void> =>
    expectSame({ op: 'Resize', opset: 19, attrs, x: [1, 2, 4, 5], operands, outputs: [output] }, 1e-5);
  const coordinates = ['half_pixel', 'pytorch_half_pixel', 'asymmetric', 'half_pixel_symmetric', 'align_corners'];
  for (const mode of ['nearest', 'linear', 'cubic'])
    for (const coordinate_transformation_mode of coordinates) {
      const attrs = { mode, coordinate_transformation_mode };
      await resize(attrs, [1, 2, 9, 4], null, floats(1, 1, 2.4, 0.9));
      await resize({ ...attrs, axes: [3, 2] }, [1, 2, 2, 1], null, floats(0.3, 0.7));
      await resize(attrs, [1, 2, 7, 3], null, null, list(1, 2, 7, 3));
    }
  for (const nearest_mode of ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'])
    for (const coordinate_transformation_mode of ['half_pixel', 'tf_half_pixel_for_nn'])
      await resize({ nearest_mode, coordinate_transformation_mode }, [1, 2, 9, 4], null, floats(1, 1, 2.4, 0.9));
  await resize({ mode: 'cubic', exclude_outside: 1 }, [1, 2, 9, 4], null, floats(1, 1, 2.4, 0.9));
  const crop = {
    mode: 'linear',
    coordinate_transformation_mode: 'tf_crop_and_resize',
    extrapolation_value: { float: 7 },
  };
  await resize({ ...crop, axes: [2, 3] }, [1, 2, 3, 1], floats(0.4, 0.6, 1.2, 0.9), null, list(3, 1));
  const old = { op: 'Upsample', opset: 9, x: [1, 1, 2, 3], outputs: [[1, 1, 4, 9]] };
  for (const mode of ['nearest', 'linear'])
    await expectSame({ ...old, attrs: { mode }, operands: [floats(1, 1, 2, 3)] }, 1e-6);
});

/** Compiles a case whose result has no stated shape, and gives the error's text. */
async function refusal(given: Case, states = false): Promise<string> {
  try {
    await compile(onnxBytes(modelOf(given, states)));
    return '';
  } catch (error) {
    const { message, where } = error as { message: string; where?: { remedy?: string } };
    return `${message} ${where?.remedy}`;
  }
}

test('what the model leaves open is refused, with the remedy', async () => {
  const reshape: Case = { op: 'Reshape', x: [6], operands: [list(2, 3)], outputs: [[2, 3]] };
  assert.match(await refusal(reshape), /input 1 \("p0"\) is computed by the network[\s\S]*--input-value p0=VALUE/);
  const sum: Case = { op: 'ReduceSum', x: [2, 2], attrs: { keepdims: 0 }, operands: [list(0)], outputs: [[3]] };
  assert.match(await refusal(sum, true), /must be constant[\s\S]*--input-value p0=VALUE/);
});

test('values of inputs: numbers, lists, shapes and what does not fit', async () => {
  const model = onnxBytes({
    inputs: { x: ['N', 3], bias: { shape: [3] }, on: { shape: [3], dtype: 'bool' } },
    nodes: [
      { op: 'Add', inputs: ['x', 'bias'], outputs: ['sum'] },
      { op: 'Where', inputs: ['on', 'sum', 'x'], outputs: ['y'] },
    ],
    outputs: ['y'],
  });
  const run = async (inputValues: Record<string, InputValue>): Promise<number[]> => {
    const { wasm } = await compile(model, { inputValues });
    const x: Tensor = { type: { dtype: 'f32', shape: [1, 3] }, data: Float32Array.of(1, 2, 3) };
    return Array.from(runTwice(wasm, { x }).y as Float32Array);
  };
  assert.equal(await run({ bias: 2, on: 1 }), [3, 4, 5]);
  assert.equal(await run({ bias: [1, 2, 3], on: { shape: [3], values: [1, 0, 1] } }), [2, 2, 6]);
  const fails = async (inputValues: Record<string, InputValue>, message: RegExp): Promise<void> => {
    const error = await compile(model, { inputValues }).catch((e: unknown) => e as { message: string; kind: string });
    assert.match((error as { message: string }).message, message);
    assert.is((error as { kind: string }).kind, 'usage');
  };
  await fails({ biases: 1 }, /no input "biases"/);
  await fails({ bias: [1, 2] }, /does not fit input "bias"/);
  await fails({ on: 2 }, /2 is no value for input "on", which is bool/);
  await fails({ bias: Number.NaN }, /NaN is no value/);
  await fails({ bias: { shape: [3], values: [1] } }, /1 numbers were given for input "bias"/);
  const [a, b] = [
    await compile(model, { inputValues: { bias: 1 } }),
    await compile(model, { inputValues: { bias: 2 } }),
  ];
  assert.is.not(a.report.hashes.options, b.report.hashes.options);
});

test.run();
