/** ConvInteger and MatMulInteger, alone and with the Cast, Mul and Add that onnxruntime's quantizers put behind them. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { importOnnx } from '../../src/frontends/onnx/import.js';
import { identical, int8Ops, outcome } from '../support/compiled.js';
import { type ModelSpec, model, type TensorSpec } from '../support/onnx.js';
import { checkModel } from '../support/op-check.js';
import { hasOrt } from '../support/ort.js';

const codes = (shape: number[], dtype: 'u8' | 'i8' = 'i8'): TensorSpec => ({
  shape,
  dtype,
  data: Array.from(
    { length: shape.reduce((a, b) => a * b, 1) },
    (_, i) => ((i * 37) % 101) - (dtype === 'i8' ? 50 : 0),
  ),
});
const list = (data: number[], dtype: TensorSpec['dtype'] = 'f32'): TensorSpec => ({
  shape: [data.length],
  dtype,
  data,
});
const scalar = (v: number, dtype: TensorSpec['dtype'] = 'f32'): TensorSpec => ({ shape: [], dtype, data: [v] });

interface Shapes {
  readonly x: number[];
  readonly w: number[];
  readonly bias: TensorSpec;
  readonly scale: TensorSpec;
}
const SHAPES: Readonly<Record<string, Shapes>> = {
  ConvInteger: {
    x: [1, 3, 6, 6],
    w: [4, 3, 3, 3],
    bias: { shape: [1, 4, 1, 1], data: [1, -2, 0.5, 3] },
    scale: scalar(0.013),
  },
  MatMulInteger: { x: [2, 8], w: [8, 3], bias: list([1, -2, 0.5]), scale: list([0.01, 0.02, 0.013]) },
};

/** Integers in, int32 sums out. */
const alone = (op: string, zeros: boolean): ModelSpec => {
  const { x, w } = SHAPES[op] as Shapes;
  return {
    inputs: { x: { shape: x, dtype: 'u8' } },
    initializers: { w: codes(w), zx: scalar(100, 'u8'), zw: scalar(3, 'i8') },
    nodes: [{ op, inputs: zeros ? ['x', 'w', 'zx', 'zw'] : ['x', 'w'], outputs: ['y'] }],
    outputs: { y: { shape: null, dtype: 'i32' } },
  };
};

/** x quantized, the product, and its scales and bias in float, as a dynamic quantizer writes them. */
const scaled = (op: string): ModelSpec => {
  const { x, w, bias, scale } = SHAPES[op] as Shapes;
  return {
    inputs: { x },
    initializers: { w: codes(w), sx: scalar(0.02), zx: scalar(120, 'u8'), zw: scalar(0, 'i8'), sw: scale, bias },
    nodes: [
      { op: 'QuantizeLinear', inputs: ['x', 'sx', 'zx'], outputs: ['q'] },
      { op, inputs: ['q', 'w', 'zx', 'zw'], outputs: ['sums'] },
      { op: 'Cast', attrs: { to: 1 }, inputs: ['sums'], outputs: ['real'] },
      { op: 'Mul', inputs: ['sx', 'sw'], outputs: ['scale'] },
      { op: 'Mul', inputs: ['real', 'scale'], outputs: ['product'] },
      { op: 'Add', inputs: ['product', 'bias'], outputs: ['y'] },
    ],
    outputs: ['y'],
  };
};

for (const op of Object.keys(SHAPES)) {
  if (hasOrt(`${op} against onnxruntime`))
    test(`${op} against onnxruntime`, async () => {
      await checkModel(alone(op, true), op);
      await checkModel(alone(op, false), op);
      const graph = await checkModel(scaled(op), `${op} with scales`);
      assert.is(graph.nodes.find(({ id }) => id === 1)?.op, op === 'ConvInteger' ? 'conv2d' : 'mul');
      const raw = scaled(op);
      await checkModel({ ...raw, outputs: { sums: { shape: null, dtype: 'i32' }, y: SHAPES[op]?.x ?? [] } }, 'both');
    });

  test(`${op} with its scales and bias is one int8 op`, async () => {
    const run = await outcome(model(scaled(op)));
    assert.equal(int8Ops(run.report), ['quantize', op === 'ConvInteger' ? 'conv2d' : 'fc']);
    assert.is(run.report.ops.length, 2);
    assert.ok(identical(run));
    assert.is(importOnnx(model(scaled(op))).folded.has(2), true);
  });
}

test.run();
