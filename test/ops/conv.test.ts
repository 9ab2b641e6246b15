/** Conv, imported, against onnxruntime. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkNode, expectImportError, type OneNode, oneNode, opsOf } from '../support/op-check.js';
import { hasOrt } from '../support/ort.js';

const CASES: Record<string, Omit<OneNode, 'op'>> = {
  '1x1': { inputs: [[1, 5, 6, 7], [4, 5, 1, 1], [4]] },
  'without bias': {
    inputs: [
      [2, 3, 6, 7],
      [4, 3, 3, 3],
    ],
  },
  'asymmetric pads, stride 2': {
    inputs: [[1, 3, 8, 6], [2, 3, 3, 3], [2]],
    attrs: { pads: [0, 0, 1, 1], strides: [2, 2] },
  },
  'other asymmetric pads': {
    inputs: [
      [1, 3, 5, 6],
      [2, 3, 3, 2],
    ],
    attrs: { pads: [2, 0, 1, 3], strides: [1, 2] },
  },
  dilation: {
    inputs: [
      [1, 2, 9, 11],
      [3, 2, 3, 2],
    ],
    attrs: { dilations: [2, 3], strides: [2, 1], kernel_shape: [3, 2] },
  },
  groups: { inputs: [[1, 6, 5, 5], [4, 3, 3, 3], [4]], attrs: { group: 2, pads: [1, 1, 1, 1] } },
  depthwise: { inputs: [[1, 4, 6, 6], [4, 1, 3, 3], [4]], attrs: { group: 4, pads: [1, 1, 1, 1] } },
  'depthwise with multiplier': {
    inputs: [
      [1, 4, 6, 6],
      [8, 1, 5, 5],
    ],
    attrs: { group: 4, pads: [2, 2, 2, 2] },
  },
  'SAME_UPPER, even size': {
    inputs: [
      [1, 2, 8, 7],
      [3, 2, 3, 3],
    ],
    attrs: { auto_pad: 'SAME_UPPER', strides: [2, 2] },
  },
  'SAME_LOWER, even size': {
    inputs: [
      [1, 2, 8, 7],
      [3, 2, 4, 4],
    ],
    attrs: { auto_pad: 'SAME_LOWER', strides: [1, 3] },
  },
  VALID: {
    inputs: [
      [1, 2, 8, 7],
      [3, 2, 3, 3],
    ],
    attrs: { auto_pad: 'VALID' },
  },
};

if (hasOrt('Conv against onnxruntime'))
  for (const [name, node] of Object.entries(CASES))
    for (const opset of [10, 13, 21])
      test(`${name}, opset ${opset}`, async () => {
        const graph = await checkNode({ op: 'Conv', opset, ...node }, name);
        assert.equal(opsOf(graph), ['conv2d']);
        assert.is(graph.nodes[0]?.id, 0);
      });

test('what cannot be a convolution is refused', () => {
  const conv = (inputs: OneNode['inputs'], attrs: OneNode['attrs'] = {}) => oneNode({ op: 'Conv', inputs, attrs });
  expectImportError(
    conv([
      [1, 3, 8, 8],
      [4, 2, 3, 3],
    ]),
    /do not fit 3 channels/,
  );
  expectImportError(
    conv(
      [
        [1, 3, 8, 8],
        [4, 3, 3, 3],
      ],
      { kernel_shape: [5, 5] },
    ),
    /kernel_shape/,
  );
  expectImportError(
    conv(
      [
        [1, 3, 8, 8],
        [4, 3, 3, 3],
      ],
      { auto_pad: 'SOMEHOW' },
    ),
    /auto_pad/,
  );
  expectImportError(
    conv(
      [
        [1, 3, 8, 8],
        [4, 3, 3, 3],
      ],
      { strides: [0, 1] },
    ),
    /strides/,
  );
  expectImportError(
    conv([
      [1, 3, 2, 2],
      [4, 3, 3, 3],
    ]),
    /does not fit/,
  );
  expectImportError(
    conv([
      [1, 3, 8, 8, 8],
      [4, 3, 3, 3],
    ]),
    /convolution of \[1, 3, 8, 8, 8\]/,
  );
  expectImportError(conv([[1, 3, 8, 8], [4, 3, 3, 3], [5]]), /bias/);
});

test.run();
