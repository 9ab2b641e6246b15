/** Transposed convolutions, and convolutions and pools over one dimension: in float everywhere, in int8 exactly. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { identical, int8Ops, outcome } from '../support/compiled.js';
import { Network } from '../support/network.js';
import type { AttrSpec } from '../support/onnx.js';
import { checkEverywhere } from '../support/op-everywhere.js';
import { hasOrt } from '../support/ort.js';

type Attrs = Record<string, AttrSpec>;

/** Attributes of any form, one after the other. */
const each = (...list: Attrs[]): Attrs[] => list;

const weights = (shape: readonly number[], seed = 1) => ({
  shape,
  data: Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (((i * 31 + seed * 17) % 23) - 11) / 7),
});
const transposed = (x: number[], w: number[], attrs: Attrs = {}, group = 1) =>
  checkEverywhere({
    op: 'ConvTranspose',
    attrs: { group, ...attrs },
    inputs: [x, weights(w), weights([w[1] * group], 2)],
  });

if (hasOrt('transposed convolutions against onnxruntime')) {
  test('strides, pads, output padding, dilations, groups', async () => {
    const x = [2, 4, 5, 6];
    await transposed(x, [4, 3, 3, 3]);
    await transposed(x, [4, 3, 2, 2], { strides: [2, 2] });
    await transposed(x, [4, 3, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] });
    await transposed(x, [4, 3, 4, 4], { strides: [2, 2], pads: [1, 1, 1, 1] });
    await transposed(x, [4, 2, 3, 2], {
      strides: [3, 2],
      pads: [2, 0, 1, 1],
      dilations: [2, 3],
      output_padding: [2, 1],
    });
    await transposed(x, [4, 3, 3, 3], { strides: [2, 1] }, 2);
    await transposed(x, [4, 1, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }, 4);
    await transposed(x, [4, 3, 1, 1], { strides: [2, 2] });
    await transposed(x, [4, 3, 1, 1], { strides: [2, 2], pads: [1, 1, 1, 1] });
  });

  test('output_shape and auto_pad', async () => {
    const x = [1, 3, 4, 5];
    for (const auto_pad of ['SAME_UPPER', 'SAME_LOWER', 'VALID'])
      await transposed(x, [3, 2, 3, 3], { strides: [2, 2], auto_pad });
    await transposed(x, [3, 2, 3, 3], { strides: [3, 2], output_shape: [10, 9] });
    await transposed(x, [3, 2, 3, 3], { strides: [3, 2], output_shape: [12, 11], output_padding: [1, 1] });
  });

  test('transposed convolutions over one dimension', async () => {
    await transposed([2, 3, 7], [3, 2, 4], { strides: [2], pads: [1, 1] });
    await transposed([1, 3, 7], [3, 2, 3], { strides: [3], output_padding: [1], dilations: [2] });
    for (const [group, w] of [
      [1, [5, 4, 3]],
      [2, [6, 2, 3]],
      [4, [4, 1, 3]],
    ] as const)
      for (const attrs of each(
        {},
        { strides: [2], pads: [1, 2] },
        { strides: [2], auto_pad: 'SAME_UPPER' },
        { dilations: [2], pads: [2, 1] },
      ))
        await checkEverywhere({
          op: 'Conv',
          attrs: { group, ...attrs },
          inputs: [[2, 4, 11], weights(w), weights([w[0]], 2)],
        });
    for (const op of ['MaxPool', 'AveragePool'])
      for (const attrs of each(
        { kernel_shape: [3] },
        { kernel_shape: [2], strides: [2], pads: [0, 1] },
        { kernel_shape: [3], auto_pad: 'SAME_LOWER' },
      ))
        await checkEverywhere({ op, attrs, inputs: [[2, 3, 9]] });
    for (const op of ['GlobalAveragePool', 'GlobalMaxPool']) await checkEverywhere({ op, inputs: [[2, 3, 9]] });
  });

  test('random transposed convolutions', async () => {
    const small = (max: number, min = 1) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));
    const cases = fc.record({
      k: small(4),
      strides: small(3),
      dilations: small(2),
      size: small(5, 2),
      extra: small(1, 0),
      group: fc.constantFrom(1, 2),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ k, strides, dilations, size, extra, group }) => {
        const pads = [0, 1, 0, 1].map((d) => Math.min(1, k[d] - 1));
        const output_padding = extra.map((e, d) => Math.min(e, strides[d] - 1));
        await transposed([1, 4, ...size], [4, 3, ...k], { strides, dilations, pads, output_padding }, group);
      }),
      { numRuns: 30, seed: 1 },
    );
  });
}

test('int8, exactly: weights per tensor and per output channel, batch of two', async () => {
  const grid = { dtype: 'u8', scale: 0.03, zeroPoint: 111 } as const;
  for (const axis of [undefined, 1])
    for (const attrs of each({ strides: [2, 2] }, { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] })) {
      const net = new Network(axis ?? 5);
      const x = net.fake(net.input('x', [2, 6, 4, 5]), grid);
      const bias = net.values([7]);
      const y = net.op('ConvTranspose', [x, net.weights([6, 7, 3, 3], { axis }), bias], attrs);
      const result = await outcome(net.bytes([net.fake(net.op('Relu', [y]), { ...grid, scale: 0.08 })]));
      assert.ok(identical(result));
      assert.ok(int8Ops(result.report).includes('conv2d_transpose'), int8Ops(result.report).join());
    }
});

test('int8 over one dimension', async () => {
  const grid = { dtype: 'i8', scale: 0.03, zeroPoint: 11 } as const;
  const net = new Network(3);
  const x = net.fake(net.input('x', [1, 6, 12]), grid);
  const y = net.fake(net.op('Conv', [x, net.weights([8, 6, 3], { axis: 0 })], { pads: [1, 1] }), grid);
  const z = net.fake(net.op('Conv', [y, net.weights([8, 1, 5], { axis: 0 })], { group: 8, strides: [2] }), grid);
  const result = await outcome(net.bytes([net.fake(net.op('MaxPool', [z], { kernel_shape: [2] }), grid)]));
  assert.ok(identical(result));
  assert.ok(result.report.ops.every((o) => o.int8 || /quantize/.test(o.type)));
});

test.run();
