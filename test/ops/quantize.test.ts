/** QuantizeLinear and DequantizeLinear in every form of opsets 10 to 21, against onnxruntime. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ModelSpec, NodeSpec, TensorSpec } from '../support/onnx.js';
import { checkModel, checkNode, expectImportError, oneNode, opsOf } from '../support/op-check.js';
import { hasOrt } from '../support/ort.js';

type Byte = 'u8' | 'i8';
const scalar = (v: number, dtype: TensorSpec['dtype'] = 'f32'): TensorSpec => ({ shape: [], dtype, data: [v] });
const list = (data: number[], dtype: TensorSpec['dtype'] = 'f32'): TensorSpec => ({
  shape: [data.length],
  dtype,
  data,
});
const X = [2, 3, 4];

/** x -> QuantizeLinear -> nodes from "q" to "p" -> DequantizeLinear -> y, all on one grid. */
const between = (nodes: NodeSpec[], dtype: Byte = 'u8', zero = 100, shape = X): ModelSpec => ({
  inputs: { x: shape },
  initializers: { s: scalar(0.03), z: scalar(zero, dtype) },
  nodes: [
    { op: 'QuantizeLinear', inputs: ['x', 's', 'z'], outputs: ['q'] },
    ...nodes,
    { op: 'DequantizeLinear', inputs: ['p', 's', 'z'], outputs: ['y'] },
  ],
  outputs: ['y'],
});

if (hasOrt('QuantizeLinear and DequantizeLinear against onnxruntime')) {
  for (const opset of [10, 13, 19, 21])
    test(`per tensor, opset ${opset}`, async () => {
      for (const [dtype, zero] of [
        ['u8', 0],
        ['u8', 131],
        ['i8', -128],
        ['i8', 5],
      ] as const) {
        const graph = await checkNode({ op: 'QuantizeLinear', opset, inputs: [X, scalar(0.02), scalar(zero, dtype)] });
        const { quant } = graph.value(graph.outputs[0]?.value as number).type;
        assert.equal([quant?.dtype, quant?.axis, quant?.zeroPoints], [dtype, null, [zero]]);
        await checkModel(
          { ...between([{ op: 'Identity', inputs: ['q'], outputs: ['p'] }], dtype, zero), opset },
          'pair',
        );
      }
      await checkNode({ op: 'QuantizeLinear', opset, inputs: [X, scalar(0.02)] });
      await checkNode({ op: 'QuantizeLinear', opset, inputs: [X, list([0.02]), list([7], 'i8')] });
    });

  for (const opset of [13, 19, 21])
    test(`per axis, opset ${opset}`, async () => {
      const scales = { 0: list([0.02, 0.5]), 1: list([0.02, 0.5, 0.011]), '-1': list([0.1, 0.2, 0.3, 0.04]) };
      const zeros = { 0: list([3, 200], 'u8'), 1: list([-3, 0, 127], 'i8'), '-1': list([1, 2, 3, 4], 'u8') };
      for (const axis of [0, 1, -1] as const) {
        const inputs = [X, scales[axis], zeros[axis]];
        await checkNode({ op: 'QuantizeLinear', opset, attrs: { axis }, inputs });
        const pair = between([{ op: 'Identity', inputs: ['q'], outputs: ['p'] }]);
        const initializers = { s: scales[axis], z: zeros[axis] };
        const nodes = (pair.nodes ?? []).map((node) => (node.op === 'Identity' ? node : { ...node, attrs: { axis } }));
        const graph = await checkModel({ ...pair, opset, nodes, initializers }, `pair along ${axis}`);
        assert.is(graph.output(graph.nodes[0] as never).type.quant?.axis, axis < 0 ? 2 : axis);
        if (axis === 1) await checkNode({ op: 'QuantizeLinear', opset, inputs });
      }
      await checkNode({ op: 'QuantizeLinear', opset, inputs: [X, scales[1]] });
    });

  test('ties and values out of range', async () => {
    const values = { shape: [9], data: [0.5, 1.5, 2.5, -0.5, -1.5, 1e9, -1e9, 127.5, -128.5] };
    const nodes: NodeSpec[] = [
      { op: 'Add', inputs: ['x', 'v'], outputs: ['a'] },
      { op: 'QuantizeLinear', inputs: ['a', 's', 'z'], outputs: ['y'] },
    ];
    const initializers = { v: values, s: scalar(1), z: scalar(0, 'i8') };
    await checkModel({ inputs: { x: [9] }, initializers, nodes, outputs: ['y'] }, 'ties', { range: 0 });
  });

  test('the output type of opset 21', async () => {
    await checkNode({ op: 'QuantizeLinear', opset: 21, attrs: { output_dtype: 3 }, inputs: [X, scalar(0.02)] });
    await checkNode({ op: 'QuantizeLinear', opset: 21, attrs: { output_dtype: 2 }, inputs: [X, scalar(0.02)] });
  });

  test('constants: int8, uint8 and int32, per tensor and per axis, scales from Constant and Identity', async () => {
    const codes = (dtype: TensorSpec['dtype']): TensorSpec => ({
      shape: [3, 4],
      dtype,
      data: Array.from({ length: 12 }, (_, i) => i * 9),
    });
    const grids: [TensorSpec, TensorSpec | null, number][] = [
      [scalar(0.1), null, 1],
      [list([0.1, 0.2, 0.3]), null, 0],
      [list([0.1, 0.2, 0.3, 0.4]), null, -1],
    ];
    for (const dtype of ['i8', 'u8', 'i32'] as const)
      for (const [scale, , axis] of grids)
        for (const withZero of [false, true]) {
          const n = scale.shape[0] ?? 1;
          const zero = Array.from({ length: n }, (_, i) => (dtype === 'i32' ? 0 : i + 1));
          const nodes: NodeSpec[] = [
            { op: 'Constant', attrs: { value: { tensor: scale } }, outputs: ['s0'] },
            { op: 'Identity', inputs: ['s0'], outputs: ['s'] },
            {
              op: 'DequantizeLinear',
              attrs: { axis },
              inputs: withZero ? ['w', 's', 'z'] : ['w', 's'],
              outputs: ['d'],
            },
            { op: 'Add', inputs: ['x', 'd'], outputs: ['y'] },
          ];
          const initializers = { w: codes(dtype), z: { shape: scale.shape, dtype, data: zero } };
          const graph = await checkModel({ inputs: { x: [3, 4] }, initializers, nodes, outputs: ['y'] }, dtype);
          assert.equal(opsOf(graph), ['dequantize', 'elementwise_add']);
          const weights = graph.input(graph.nodes[0] as (typeof graph.nodes)[0], 0);
          assert.is(weights.type.dtype, dtype);
          assert.is(weights.type.quant?.scales.length, n);
        }
  });

  test('float weights through a pair keep it', async () => {
    const nodes: NodeSpec[] = [
      { op: 'QuantizeLinear', inputs: ['w', 's', 'z'], attrs: { axis: 0 }, outputs: ['q'] },
      { op: 'DequantizeLinear', inputs: ['q', 's', 'z'], attrs: { axis: 0 }, outputs: ['d'] },
      { op: 'Add', inputs: ['x', 'd'], outputs: ['y'] },
    ];
    const w = { shape: [3, 4], data: Array.from({ length: 12 }, (_, i) => Math.sin(i)) };
    const initializers = { w, s: list([0.01, 0.02, 0.03]), z: list([0, 0, 0], 'i8') };
    const graph = await checkModel({ inputs: { x: [3, 4] }, initializers, nodes, outputs: ['y'] }, 'weights');
    assert.equal(opsOf(graph), ['quantize', 'dequantize', 'elementwise_add']);
  });

  test('a Clip on codes narrows them', async () => {
    const clip = (dtype: Byte, lo: number, hi: number): ModelSpec => {
      const spec = between([{ op: 'Clip', inputs: ['q', 'lo', 'hi'], outputs: ['p'] }], dtype, dtype === 'u8' ? 60 : 3);
      return { ...spec, initializers: { ...spec.initializers, lo: scalar(lo, dtype), hi: scalar(hi, dtype) } };
    };
    const graph = await checkModel(clip('u8', 0, 127), 'u8');
    assert.equal(opsOf(graph), ['quantize', 'clip', 'dequantize']);
    assert.equal(graph.nodes[1]?.attrs, { min: 0, max: 127, onCodes: true });
    await checkModel(clip('i8', -64, 63), 'i8');
    const relu = between([{ op: 'Relu', inputs: ['q'], outputs: ['p'] }], 'i8', -40);
    await checkModel({ ...relu, opset: 14 }, 'Relu');
  });

  test('data movement on codes computes on their real values', async () => {
    await checkModel(
      between([{ op: 'Transpose', attrs: { perm: [2, 0, 1] }, inputs: ['q'], outputs: ['p'] }]),
      'Transpose',
    );
    await checkModel(between([{ op: 'Flatten', inputs: ['q'], outputs: ['p'] }], 'i8', -3), 'Flatten');
    await checkModel(between([{ op: 'Concat', attrs: { axis: 1 }, inputs: ['q', 'q'], outputs: ['p'] }]), 'Concat');
    const pool: NodeSpec = {
      op: 'MaxPool',
      attrs: { kernel_shape: [2, 2], pads: [1, 1, 0, 0] },
      inputs: ['q'],
      outputs: ['p'],
    };
    const graph = await checkModel(between([pool], 'u8', 200, [1, 2, 4, 4]), 'MaxPool');
    assert.equal(opsOf(graph), ['quantize', 'dequantize', 'pool2d', 'quantize', 'dequantize']);
    assert.is(graph.nodes[2]?.id, 1);
  });

  test('codes read on another grid, and integer inputs', async () => {
    const spec = between([{ op: 'DequantizeLinear', inputs: ['q', 's2', 'z2'], outputs: ['other'] }]);
    const nodes = (spec.nodes ?? []).slice(0, 2);
    const initializers = { ...spec.initializers, s2: scalar(0.5), z2: scalar(7, 'u8') };
    await checkModel({ ...spec, initializers, nodes, outputs: ['other'] }, 'other grid', { tolerance: 1e-6 });
    const read: NodeSpec = { op: 'DequantizeLinear', inputs: ['x', 's', 'z'], outputs: ['y'] };
    for (const dtype of ['u8', 'i8'] as const) {
      const inputs = { x: { shape: X, dtype } };
      await checkModel(
        { inputs, initializers: { s: scalar(0.03), z: scalar(90, dtype) }, nodes: [read], outputs: ['y'] },
        dtype,
      );
    }
  });
}

test('arithmetic on codes is refused, and floats where integers are', () => {
  expectImportError(between([{ op: 'Sigmoid', inputs: ['q'], outputs: ['p'] }]), /Sigmoid on quantized codes/);
  expectImportError(between([{ op: 'Add', inputs: ['q', 'q'], outputs: ['p'] }]), /Add on quantized codes/);
  const plain = { inputs: { x: { shape: X, dtype: 'i64' as const } }, outputs: ['y'] };
  expectImportError({ ...plain, nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }] }, /float expected/);
  expectImportError({ ...plain, nodes: [{ op: 'ReduceMean', inputs: ['x'], outputs: ['y'] }] }, /float expected/);
});

test('grids that cannot be are refused', () => {
  const quantize = (...rest: (TensorSpec | null)[]) => oneNode({ op: 'QuantizeLinear', inputs: [X, ...rest] });
  for (const bad of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    expectImportError(quantize(scalar(bad)), /not a positive finite/);
  expectImportError(quantize(list([1, 2]), list([0, 0], 'u8')), /2 scales for axis 1/);
  expectImportError(quantize(list([1, 2, 3]), list([0, 0], 'u8')), /2 zero points for 3 scales/);
  expectImportError(quantize(scalar(1), scalar(0, 'i32')), /QuantizeLinear to i32/);
  expectImportError(quantize(scalar(1), scalar(0)), /QuantizeLinear to f32/);
  const axis = { op: 'QuantizeLinear', attrs: { axis: 3 }, inputs: [X, list([1, 2, 3]), list([0, 0, 0], 'u8')] };
  expectImportError(oneNode(axis), /outside of rank 3/);
  const blocked = { op: 'QuantizeLinear', opset: 21, attrs: { block_size: 2 }, inputs: [X, scalar(1)] };
  expectImportError(oneNode(blocked), /block_size/);
  const float8 = { op: 'QuantizeLinear', opset: 21, attrs: { output_dtype: 17 }, inputs: [X, scalar(1)] };
  expectImportError(oneNode(float8), /data type 17/);
  const codes: TensorSpec = { shape: [2], dtype: 'i8', data: [1, 2] };
  const dequantize = (...rest: TensorSpec[]) => oneNode({ op: 'DequantizeLinear', inputs: [codes, ...rest] });
  expectImportError(dequantize(scalar(1), scalar(0, 'u8')), /zero point has dtype u8/);
  expectImportError(oneNode({ op: 'DequantizeLinear', inputs: [X, scalar(1)] }), /DequantizeLinear of f32/);
  const wide: TensorSpec = { shape: [2], dtype: 'i32', data: [1, 2] };
  expectImportError(oneNode({ op: 'DequantizeLinear', inputs: [wide, scalar(1), scalar(1, 'i32')] }), /zero point 0/);
});

test.run();
