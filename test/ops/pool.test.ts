/** Pooling, imported, against onnxruntime. */
import { test } from 'uvu';
import type { AttrSpec } from '../support/onnx.js';
import { checkNode, expectImportError, oneNode } from '../support/op-check.js';
import { hasOrt } from '../support/ort.js';

const WINDOWS: Record<string, Record<string, AttrSpec>> = {
  plain: { kernel_shape: [2, 3] },
  'strides and pads': { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 0, 1, 2] },
  'ceil mode': { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 },
  'ceil mode with pads': { kernel_shape: [3, 2], strides: [3, 3], pads: [1, 1, 1, 1], ceil_mode: 1 },
  'ceil mode, wide steps': { kernel_shape: [2, 2], strides: [4, 5], pads: [1, 1, 0, 1], ceil_mode: 1 },
  'same upper': { kernel_shape: [3, 2], strides: [2, 2], auto_pad: 'SAME_UPPER' },
  'same lower': { kernel_shape: [2, 2], strides: [2, 1], auto_pad: 'SAME_LOWER' },
};

if (hasOrt('pooling against onnxruntime')) {
  for (const [name, attrs] of Object.entries(WINDOWS))
    for (const opset of [10, 13, 21]) {
      const inputs = [[2, 3, 9, 8]];
      test(`MaxPool ${name}, opset ${opset}`, async () => {
        await checkNode({ op: 'MaxPool', opset, attrs, inputs }, name);
      });
      for (const count_include_pad of [0, 1])
        test(`AveragePool ${name}, count_include_pad ${count_include_pad}, opset ${opset}`, async () => {
          await checkNode({ op: 'AveragePool', opset, attrs: { ...attrs, count_include_pad }, inputs }, name);
        });
    }

  test('dilated windows with strides and pads', async () => {
    const attrs = { kernel_shape: [3, 2], dilations: [2, 3], strides: [1, 2], pads: [1, 1, 1, 1] };
    await checkNode({ op: 'MaxPool', attrs, inputs: [[1, 2, 9, 8]] });
    await checkNode({ op: 'AveragePool', opset: 19, attrs, inputs: [[1, 2, 9, 8]] });
  });

  test('GlobalAveragePool and GlobalMaxPool', async () => {
    await checkNode({ op: 'GlobalAveragePool', inputs: [[2, 3, 5, 7]] });
    await checkNode({ op: 'GlobalMaxPool', inputs: [[2, 3, 5, 7]] });
  });
}

test('what cannot be pooled is refused', () => {
  const attrs = { kernel_shape: [2, 2] };
  const deep = { op: 'MaxPool', attrs: { kernel_shape: [2, 2, 2] }, inputs: [[1, 2, 4, 4, 4]] };
  expectImportError(oneNode({ ...deep, outputs: 2 }), /over 3 dimensions with places/);
  expectImportError(oneNode({ op: 'MaxPool', inputs: [[1, 2, 4, 4]] }), /kernel_shape/);
  expectImportError(oneNode({ op: 'MaxPool', attrs: { kernel_shape: [3, 3] }, inputs: [[1, 2, 4, 4, 4]] }), /rank 5/);
  expectImportError(
    oneNode({ op: 'AveragePool', attrs: { ...attrs, pads: [2, 0, 0, 0] }, inputs: [[1, 2, 4, 4]] }),
    /pads/,
  );
});

test.run();
