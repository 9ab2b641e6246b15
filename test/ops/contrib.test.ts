/** Operators of onnxruntime's own domain that are not quantized, forms that are refused, and codes at the borders. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AttrSpec, ModelSpec, TensorSpec } from '../support/onnx.js';
import { checkModel, checkNode, expectImportError, oneNode, opsOf } from '../support/op-check.js';
import { hasOrt } from '../support/ort.js';

const domain = 'com.microsoft';
const scalar = (v: number, dtype: TensorSpec['dtype'] = 'f32'): TensorSpec => ({ shape: [], dtype, data: [v] });
const filters: TensorSpec = { shape: [3, 2, 3, 3], data: Array.from({ length: 54 }, (_, i) => Math.sin(i)) };
const bias: TensorSpec = { shape: [3], data: [0.5, -0.25, 0.125] };
const X = [1, 2, 5, 5];

if (hasOrt("onnxruntime's own operators")) {
  test('FusedConv', async () => {
    const activations: [string, number[]][] = [
      ['Relu', []],
      ['Sigmoid', []],
      ['Tanh', []],
      ['LeakyRelu', [0.25]],
      ['Clip', [-0.5, 1.5]],
      ['HardSigmoid', [0.2, 0.5]],
    ];
    for (const [activation, params] of activations) {
      const attrs: Record<string, AttrSpec> = { activation, pads: [1, 1, 1, 1] };
      if (params.length > 0) attrs.activation_params = { floats: params };
      await checkNode({ op: 'FusedConv', domain, attrs, inputs: [X, filters, bias] }, activation);
    }
    const attrs = { activation: 'Relu', pads: [1, 1, 1, 1] };
    await checkNode({ op: 'FusedConv', domain, attrs, inputs: [X, filters, bias, [1, 3, 5, 5]] }, 'with a sum');
  });

  test('QuantizeLinear and DequantizeLinear of the domain', async () => {
    const spec: ModelSpec = {
      opsets: { [domain]: 1 },
      inputs: { x: [2, 3] },
      initializers: { s: scalar(0.03), z: scalar(100, 'u8') },
      nodes: [
        { op: 'QuantizeLinear', domain, inputs: ['x', 's', 'z'], outputs: ['q'] },
        { op: 'DequantizeLinear', domain, inputs: ['q', 's', 'z'], outputs: ['y'] },
      ],
      outputs: ['y'],
    };
    assert.equal(opsOf(await checkModel(spec, 'pair')), ['quantize', 'dequantize']);
  });

  test('codes as inputs and outputs of the graph', async () => {
    const spec: ModelSpec = {
      opsets: { [domain]: 1 },
      inputs: { x: { shape: [2, 30], dtype: 'u8' } },
      initializers: { s: scalar(0.03), z: scalar(100, 'u8'), t: scalar(1 / 256), n: scalar(0, 'u8') },
      nodes: [{ op: 'QLinearSigmoid', domain, inputs: ['x', 's', 'z', 't', 'n'], outputs: ['y'] }],
      outputs: { y: { shape: [2, 30], dtype: 'u8' } },
    };
    const graph = await checkModel(spec, 'codes');
    assert.is(graph.nodes.find(({ id }) => id === 0)?.op, 'sigmoid');
  });

  test('QGemm with a real result', async () => {
    const w: TensorSpec = { shape: [4, 3], dtype: 'i8', data: Array.from({ length: 12 }, (_, i) => 5 * i - 30) };
    const c: TensorSpec = { shape: [3], dtype: 'i32', data: [100, -50, 7] };
    const spec: ModelSpec = {
      opsets: { [domain]: 1 },
      inputs: { x: [2, 4] },
      initializers: { s: scalar(0.03), z: scalar(100, 'u8'), t: scalar(0.02), n: scalar(0, 'i8'), w, c },
      nodes: [
        { op: 'QuantizeLinear', inputs: ['x', 's', 'z'], outputs: ['q'] },
        {
          op: 'QGemm',
          domain,
          attrs: { alpha: { float: 2 } },
          inputs: ['q', 's', 'z', 'w', 't', 'n', 'c'],
          outputs: ['y'],
        },
      ],
      outputs: { y: [2, 3] },
    };
    await checkModel(spec, 'real');
  });
}

test('forms that are not supported say what helps', () => {
  const grid = [scalar(0.1), scalar(3, 'u8')];
  const inputs = [[1, 4, 4, 2], ...grid, ...grid];
  const image = (op: string): ModelSpec => {
    const spec = oneNode({ op, domain, attrs: { channels_last: 1, kernel_shape: [2, 2] }, inputs });
    return { ...spec, inputs: { x0: { shape: [1, 4, 4, 2], dtype: 'u8' } } };
  };
  for (const op of ['QLinearAveragePool', 'QLinearGlobalAveragePool'])
    expectImportError(image(op), /channels_last\n.*before onnxruntime optimized/);
  expectImportError(
    oneNode({ op: 'BiasGelu', domain, inputs: [X] }),
    /qc has only the quantized.*\n.*ORT_ENABLE_BASIC/,
  );
  expectImportError(oneNode({ op: 'QLinearSigmoid', domain, inputs: [X, ...grid, ...grid] }), /must be int8 or uint8/);
  expectImportError(
    oneNode({ op: 'FusedConv', domain, attrs: { activation: 'Swish' }, inputs: [X, filters] }),
    /activation "Swish"/,
  );
});

test.run();
