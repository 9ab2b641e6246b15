/**
 * Operators that the operator sets 21 to 25 gave new versions, in these sets and before: references and modules against onnxruntime.
 * Most new versions only took in types; those that mean something else stand here with what they mean.
 */
import { test } from 'uvu';
import { expectImportError, type OneNode, oneNode } from '../support/op-check.js';
import { checkEverywhere } from '../support/op-everywhere.js';
import { hasOrt } from '../support/ort.js';

const X = [1, 4, 5, 6];
const SQUARE = [4, 6];
const ints = (...data: number[]) => ({ shape: [data.length], dtype: 'i64' as const, data });
const floats = (n: number, ...shape: number[]) => ({
  shape: shape.length > 0 ? shape : [n],
  data: Array.from({ length: n }, (_, i) => ((i * 5) % 7) / 4 - 0.5),
});
const scalar = (v: number) => ({ shape: [], data: [v] });

/** What every set from 18 on has. */
const SAME: readonly Omit<OneNode, 'opset'>[] = [
  ...['Acos', 'Asin', 'Atanh'].map((op) => ({ op, inputs: [SQUARE] })),
  ...[
    'Sin',
    'Tan',
    'Cosh',
    'Atan',
    'Elu',
    'Selu',
    'Softplus',
    'Softsign',
    'HardSigmoid',
    'HardSwish',
    'Mish',
    'Round',
  ].map((op) => ({ op, inputs: [SQUARE] })),
  { op: 'ThresholdedRelu', inputs: [SQUARE], attrs: { alpha: { float: 0.5 } } },
  {
    op: 'AveragePool',
    inputs: [X],
    attrs: { kernel_shape: [3, 2], strides: [2, 2], pads: [1, 0, 1, 1], ceil_mode: 1 },
  },
  { op: 'MaxPool', inputs: [X], attrs: { kernel_shape: [2, 3], strides: [2, 2], pads: [0, 1, 1, 1], ceil_mode: 1 } },
  { op: 'Conv', inputs: [X, floats(72, 2, 4, 3, 3)], attrs: { pads: [1, 1, 1, 1] } },
  { op: 'ConvTranspose', inputs: [X, floats(72, 4, 2, 3, 3)], attrs: { strides: [2, 2], output_padding: [1, 1] } },
  { op: 'GlobalAveragePool', inputs: [X] },
  { op: 'GlobalMaxPool', inputs: [X] },
  { op: 'InstanceNormalization', inputs: [X, floats(4), floats(4)] },
  { op: 'LpNormalization', inputs: [SQUARE], attrs: { axis: 0, p: 1 } },
  { op: 'Flatten', inputs: [X], attrs: { axis: -2 } },
  { op: 'Identity', inputs: [X] },
  { op: 'Reshape', inputs: [X, ints(0, -1, 2)] },
  { op: 'Squeeze', inputs: [X, ints(0)] },
  { op: 'Unsqueeze', inputs: [X, ints(-1, 1)] },
  { op: 'Transpose', inputs: [X], attrs: { perm: [3, 1, 0, 2] } },
  { op: 'Pad', inputs: [X, ints(1, 2, 0, 1), scalar(0.5), ints(3, 1)] },
  { op: 'Cast', inputs: [X], attrs: { to: 6 } },
  { op: 'TopK', inputs: [SQUARE, ints(3)], outputs: 2 },
  { op: 'Split', inputs: [[2, 7]], attrs: { axis: 1, num_outputs: 4 }, outputs: 4 },
  ...['ReduceMax', 'ReduceMean', 'ReduceL2', 'ReduceLogSumExp'].map((op) => ({
    op,
    inputs: [X, ints(-1, 1)],
    attrs: { keepdims: 0 },
  })),
];

const OPSETS = [18, 21, 22, 23, 24, 25];

if (hasOrt('operator sets 18 to 25 against onnxruntime')) {
  for (const opset of OPSETS)
    test(`operator set ${opset}`, async () => {
      for (const node of SAME) await checkEverywhere({ ...node, opset }, { between: [-0.9, 0.9], tolerance: 2e-6 });
    });

  test('GroupNormalization has parameters per channel from 21 on', async () => {
    await checkEverywhere({
      op: 'GroupNormalization',
      opset: 21,
      attrs: { num_groups: 2 },
      inputs: [X, floats(4), floats(4)],
    });
  });

  test('RMSNormalization (23) and Swish (24)', async () => {
    for (const axis of [-1, 1])
      await checkEverywhere({
        op: 'RMSNormalization',
        opset: 23,
        attrs: { axis, epsilon: { float: 1e-3 } },
        inputs: [[3, 2, 4], axis === 1 ? floats(8, 2, 4) : floats(4)],
      });
    await checkEverywhere({ op: 'Swish', opset: 24, inputs: [SQUARE] });
  });
}

test('what new attributes ask for beyond float32 and bytes is refused', () => {
  const grid = [scalar(0.5), { shape: [], dtype: 'i8' as const, data: [0] }];
  const refused = (node: Partial<OneNode>, pattern: RegExp): void =>
    expectImportError(oneNode({ op: 'QuantizeLinear', opset: 25, inputs: [SQUARE, ...grid], ...node }), pattern);
  refused({ attrs: { precision: 10 } }, /divides in data type 10/);
  refused({ attrs: { block_size: 2 } }, /block_size/);
  refused({ attrs: { output_dtype: 17 }, inputs: [SQUARE, scalar(0.5)] }, /data type 17/);
  refused({ op: 'Cast', attrs: { to: 24 }, inputs: [SQUARE] }, /24|float8/);
});

test.run();
