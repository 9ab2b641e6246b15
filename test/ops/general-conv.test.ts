/** Convolutions with computed weights and over other than two dimensions, pools over three, dynamic quantization. */
import { test } from 'uvu';
import type { AttrSpec } from '../support/onnx.js';
import { checkEverywhere } from '../support/op-everywhere.js';
import { hasOrt } from '../support/ort.js';

/** A convolution: shapes of x and weights, and its attributes. */
interface Form {
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly attrs: Readonly<Record<string, AttrSpec>>;
}

if (hasOrt('general convolutions against onnxruntime')) {
  test('Conv with weights that the network receives', async () => {
    const forms: Form[] = [
      { x: [1, 2, 7, 6], w: [4, 2, 3, 3], attrs: { pads: [1, 1, 1, 1] } },
      { x: [2, 4, 7, 9], w: [6, 2, 3, 2], attrs: { group: 2, strides: [2, 1], dilations: [1, 2], pads: [0, 1, 2, 0] } },
      { x: [1, 3, 5, 5], w: [3, 1, 3, 3], attrs: { group: 3, auto_pad: 'SAME_UPPER', strides: [2, 2] } },
      { x: [1, 3, 9], w: [5, 3, 4], attrs: { pads: [2, 1] } },
      { x: [1, 2, 4, 5, 6], w: [3, 2, 2, 3, 2], attrs: { pads: [0, 1, 1, 1, 0, 1], strides: [1, 2, 1] } },
      { x: [1, 4, 4, 5, 3], w: [4, 2, 2, 2, 3], attrs: { group: 2, dilations: [2, 1, 1] } },
    ];
    for (const { x, w, attrs } of forms)
      for (const bias of [[], [[w[0] as number]]])
        await checkEverywhere({ op: 'Conv', attrs, inputs: [x, w, ...bias] });
  });

  test('ConvTranspose with weights that the network receives', async () => {
    const forms: Form[] = [
      { x: [1, 2, 4, 3], w: [2, 3, 3, 3], attrs: { strides: [2, 2], pads: [1, 0, 1, 1] } },
      { x: [2, 4, 3, 3], w: [4, 2, 2, 3], attrs: { group: 2, dilations: [2, 1], output_padding: [0, 0] } },
      { x: [1, 2, 5], w: [2, 3, 4], attrs: { strides: [3], output_padding: [1] } },
      { x: [1, 2, 3, 4, 2], w: [2, 2, 2, 3, 2], attrs: { strides: [2, 1, 2], pads: [0, 1, 0, 1, 0, 0] } },
    ];
    for (const { x, w, attrs } of forms)
      for (const bias of [[], [[(w[1] as number) * Number(attrs.group ?? 1)]]])
        await checkEverywhere({ op: 'ConvTranspose', attrs, inputs: [x, w, ...bias] });
  });

  test('pools over three dimensions', async () => {
    const x = [1, 2, 5, 6, 7];
    const windows: Form['attrs'][] = [
      { kernel_shape: [2, 2, 2] },
      { kernel_shape: [3, 2, 3], strides: [2, 1, 2], pads: [1, 0, 1, 0, 1, 1] },
      { kernel_shape: [2, 3, 2], strides: [2, 2, 2], ceil_mode: 1 },
    ];
    for (const op of ['MaxPool', 'AveragePool'])
      for (const attrs of windows) await checkEverywhere({ op, attrs, inputs: [x] });
    const padded = { kernel_shape: [3, 3, 3], pads: [1, 1, 1, 1, 1, 1], count_include_pad: 1 };
    await checkEverywhere({ op: 'AveragePool', attrs: padded, inputs: [x] });
    for (const op of ['GlobalAveragePool', 'GlobalMaxPool']) await checkEverywhere({ op, inputs: [x] });
  });

  test('DynamicQuantizeLinear', async () => {
    for (const between of [
      [-3, 5],
      [1, 4],
      [-4, -1],
      [0, 0],
    ] as const)
      await checkEverywhere({ op: 'DynamicQuantizeLinear', inputs: [[3, 7]], outputs: 3 }, { between });
  });

  test('DequantizeLinear and QuantizeLinear per slice of what the network receives, with computed scales', async () => {
    const scale = { shape: [3], data: [0.5, 0.25, 2] };
    const zero = { shape: [3], dtype: 'u8' as const, data: [1, 128, 255] };
    for (const axis of [1, -2]) {
      await checkEverywhere(
        { op: 'DequantizeLinear', attrs: { axis }, inputs: [{ shape: [2, 3, 4], of: 'u8' }, scale, zero] },
        { between: [0, 255] },
      );
      await checkEverywhere(
        { op: 'QuantizeLinear', attrs: { axis }, inputs: [[2, 3, 4], scale, zero] },
        { between: [-90, 90] },
      );
    }
    await checkEverywhere(
      { op: 'QuantizeLinear', inputs: [[2, 3], { shape: [], of: 'f32' }, { shape: [], of: 'u8' }] },
      { between: [1, 40] },
    );
    await checkEverywhere(
      {
        op: 'DequantizeLinear',
        inputs: [
          { shape: [2, 3], of: 'i8' },
          { shape: [], of: 'f32' },
          { shape: [], of: 'i8' },
        ],
      },
      { between: [-100, 100] },
    );
  });

  for (const [op, lo, hi] of [
    ['Sinh', -5, 5],
    ['Cosh', -5, 5],
    ['Tan', -1.5, 1.5],
    ['Asin', -1, 1],
    ['Acos', -1, 1],
    ['Atan', -50, 50],
    ['Asinh', -50, 50],
    ['Acosh', 1, 50],
    ['Atanh', -0.99, 0.99],
  ] as const)
    test(op, async () => {
      for (const scale of [1, 0.01])
        await checkEverywhere(
          { op, inputs: [[8, 9]] },
          { between: op === 'Acosh' ? [lo, hi] : [lo * scale, hi * scale] },
        );
    });
}

test.run();
