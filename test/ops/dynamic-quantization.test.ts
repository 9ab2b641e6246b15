/** Products of integers whose grids the network computes, and sums beyond what floats count, against onnxruntime. */
import { test } from 'uvu';
import type { ModelSpec, TensorSpec } from '../support/onnx.js';
import { expectImportError } from '../support/op-check.js';
import { checkEverywhere, checkModelEverywhere } from '../support/op-everywhere.js';
import { hasOrt } from '../support/ort.js';

/** Weights so small that onnxruntime's sums of pairs do not saturate. */
const codes = (shape: readonly number[]): TensorSpec => ({
  shape,
  dtype: 'i8',
  data: Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 37) % 101) - 50),
});

/** DynamicQuantizeLinear, the product, and the scales behind it, as onnxruntime's dynamic quantizer writes them. */
const dynamic = (op: string, x: readonly number[], w: readonly number[]): ModelSpec => ({
  opset: 13,
  inputs: { x },
  initializers: { w: codes(w), z: { shape: [], dtype: 'i8', data: [3] }, s: { shape: [], data: [0.02] } },
  nodes: [
    { op: 'DynamicQuantizeLinear', inputs: ['x'], outputs: ['q', 'sx', 'zx'] },
    { op, inputs: ['q', 'w', 'zx', 'z'], outputs: ['sums'] },
    { op: 'Cast', attrs: { to: 1 }, inputs: ['sums'], outputs: ['real'] },
    { op: 'Mul', inputs: ['sx', 's'], outputs: ['scale'] },
    { op: 'Mul', inputs: ['real', 'scale'], outputs: ['y'] },
  ],
  outputs: ['y'],
});

if (hasOrt('dynamic quantization against onnxruntime')) {
  test('a dynamically quantized product and convolution', async () => {
    await checkModelEverywhere(dynamic('MatMulInteger', [2, 3, 8], [8, 5]), 'dynamic product', { tolerance: 1e-5 });
    await checkModelEverywhere(dynamic('ConvInteger', [1, 2, 6, 6], [3, 2, 3, 3]), 'dynamic convolution', {
      tolerance: 1e-5,
    });
  });

  test('MatMulInteger with zero points that the network receives', async () => {
    await checkEverywhere(
      {
        op: 'MatMulInteger',
        inputs: [
          { shape: [3, 8], of: 'u8' },
          { shape: [8, 4], of: 'i8' },
          { shape: [], of: 'u8' },
          { shape: [4], of: 'i8' },
        ],
      },
      { between: [-20, 100] },
    );
  });

  test('sums beyond 2^24 are exact', async () => {
    const between = [0, 255] as const;
    const first = [255, 255, 255, 254];
    for (const inputs of [
      [
        [2, 700],
        [700, 3],
      ],
      [[2, 3, 700], [700]],
      [[700], [2, 700, 3]],
    ] as const)
      await checkEverywhere(
        { op: 'MatMulInteger', inputs: inputs.map((shape) => ({ shape, of: 'u8' })) },
        { between, first },
      );
  });
}

test('sums of a convolution that floats may not count are refused as int32', () => {
  const x = { shape: [1, 64, 4, 4], dtype: 'u8' as const };
  const spec: ModelSpec = {
    inputs: { x },
    initializers: { w: { shape: [1, 64, 4, 4], dtype: 'i8', data: new Array<number>(1024).fill(127) } },
    nodes: [{ op: 'ConvInteger', inputs: ['x', 'w'], outputs: ['y'] }],
    outputs: ['y'],
  };
  expectImportError(spec, /sums of ConvInteger up to \d+ as int32\n.*Cast to float/);
});

test.run();
