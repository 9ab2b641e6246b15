/** Quantized networks, compiled: bit-identical to the interpreter over shapes, layouts and ops. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { identical, int8Ops, outcome } from '../support/compiled.js';
import { type Grid, Network } from '../support/network.js';

const U8: Grid = { dtype: 'u8', scale: 0.02, zeroPoint: 117 };
const S8: Grid = { dtype: 'i8', scale: 0.017, zeroPoint: 0 };
const WIDE: Grid = { dtype: 'u8', scale: 0.11, zeroPoint: 131 };

/** Random networks may have a single weight near 0: only larger ones must show different outputs. */
async function check(bytes: Uint8Array, expected: readonly string[], varied = true): Promise<void> {
  const result = await outcome(bytes);
  assert.ok(identical(result), 'module and interpreter differ');
  for (const op of expected) assert.ok(int8Ops(result.report).includes(op), `${op} is not int8`);
  if (!varied) return;
  const values = Object.values(result.module)[0];
  assert.ok(new Set(values).size > Math.min(2, values.length - 1), 'outputs are all alike: the test shows nothing');
}

test('random convolutions: shapes, strides, pads, dilations, groups, batch, both weight forms', async () => {
  const cases = fc.record({
    seed: fc.integer({ min: 1, max: 1e6 }),
    batch: fc.integer({ min: 1, max: 2 }),
    groups: fc.constantFrom(1, 1, 1, 2, 3),
    perGroup: fc.integer({ min: 1, max: 9 }),
    filters: fc.integer({ min: 1, max: 11 }),
    k: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
    strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    dilations: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
    pads: fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 2 }))),
    size: fc.tuple(fc.integer({ min: 7, max: 12 }), fc.integer({ min: 7, max: 12 })),
    u8: fc.boolean(),
    bias: fc.boolean(),
    relu: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(cases, async (c) => {
      const net = new Network(c.seed);
      const x = net.fake(net.input('x', [c.batch, c.groups * c.perGroup, ...c.size]), c.u8 ? U8 : S8);
      const filters = c.filters * c.groups;
      const w = net.weights([filters, c.perGroup, ...c.k], c.u8 ? { u8: true } : { axis: 0 });
      const attrs = { strides: c.strides, dilations: c.dilations, pads: c.pads, group: c.groups };
      const y = net.op('Conv', c.bias ? [x, w, net.values([filters])] : [x, w], attrs);
      const out = net.fake(c.relu ? net.op('Relu', [y]) : y, WIDE);
      const depthwise = c.groups > 1 && c.perGroup === 1 && c.filters === 1;
      await check(net.bytes([out]), [depthwise ? 'depthwise_conv2d' : 'conv2d'], false);
    }),
    { numRuns: 60 },
  );
});

test('random depthwise convolutions', async () => {
  const cases = fc.record({
    seed: fc.integer({ min: 1, max: 1e6 }),
    channels: fc.integer({ min: 2, max: 21 }),
    k: fc.constantFrom(1, 2, 3, 5),
    stride: fc.integer({ min: 1, max: 2 }),
    dilation: fc.integer({ min: 1, max: 2 }),
    pad: fc.integer({ min: 0, max: 2 }),
    size: fc.integer({ min: 9, max: 13 }),
    u8: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(cases, async (c) => {
      const net = new Network(c.seed);
      const x = net.fake(net.input('x', [1, c.channels, c.size, c.size + 1]), c.u8 ? U8 : S8);
      const w = net.weights([c.channels, 1, c.k, c.k], c.u8 ? { u8: true } : { axis: 0 });
      const attrs = {
        strides: [c.stride, c.stride],
        dilations: [c.dilation, c.dilation],
        pads: [c.pad, c.pad, c.pad, c.pad],
        group: c.channels,
      };
      await check(net.bytes([net.fake(net.op('Conv', [x, w], attrs), WIDE)]), ['depthwise_conv2d'], false);
    }),
    { numRuns: 40 },
  );
});

test('residual block with fused add, relu, and a requantizing add', async () => {
  const net = new Network(3);
  const x = net.fake(net.input('x', [1, 6, 9, 10]), U8);
  const conv = (input: string) =>
    net.op('Conv', [input, net.weights([6, 6, 3, 3], { axis: 0 }), net.values([6])], { pads: [1, 1, 1, 1] });
  const a = net.fake(net.op('Relu', [conv(x)]), { ...WIDE, zeroPoint: 0 });
  const fused = net.fake(net.op('Relu', [net.op('Add', [conv(a), x])]), { ...WIDE, zeroPoint: 3 });
  const rounded = net.fake(conv(fused), WIDE);
  const sum = net.fake(net.op('Add', [rounded, fused]), { ...WIDE, scale: 0.2 });
  await check(net.bytes([sum]), ['conv2d', 'elementwise_add']);
});

test('pools, flatten, product, softmax', async () => {
  const net = new Network(4);
  const x = net.fake(net.input('x', [2, 5, 11, 9]), U8);
  const c = net.fake(net.op('Conv', [x, net.weights([10, 5, 3, 3])], { pads: [0, 1, 1, 0] }), WIDE);
  const max = net.op('MaxPool', [c], { kernel_shape: [3, 2], strides: [2, 2], pads: [1, 0, 1, 1] });
  const average = net.fake(
    net.op('AveragePool', [max], { kernel_shape: [2, 2], pads: [1, 1, 0, 0], count_include_pad: 0 }),
    { ...WIDE, scale: 0.05 },
  );
  const flat = net.op('Flatten', [average]);
  const n = 10 * 5 * 4;
  const dense = net.fake(net.op('Gemm', [flat, net.weights([n, 7], { axis: 1 }), net.values([7])]), {
    ...WIDE,
    scale: 1,
  });
  await check(net.bytes([net.op('Softmax', [dense])]), ['conv2d', 'pool2d', 'reshape2', 'fc']);
});

test('concat with operands on their own grids and without', async () => {
  const net = new Network(5);
  const x = net.fake(net.input('x', [1, 4, 6, 6]), U8);
  const conv = (n: number) => net.op('Conv', [x, net.weights([n, 4, 1, 1], { axis: 0 })]);
  const own = [net.fake(conv(3), WIDE), net.fake(conv(5), { ...WIDE, scale: 0.07 })];
  const joined = net.fake(net.op('Concat', [...own, conv(2)], { axis: 1 }), { ...WIDE, scale: 0.09 });
  const last = net.fake(net.op('Conv', [joined, net.weights([9, 10, 3, 3])], { pads: [1, 1, 1, 1] }), {
    ...WIDE,
    scale: 0.5,
  });
  await check(net.bytes([last]), ['concat', 'conv2d']);
});

test('squeeze-and-excitation: global pool, product, hard sigmoid, broadcast multiplication', async () => {
  const net = new Network(6);
  const x = net.fake(net.input('x', [1, 8, 7, 5]), U8);
  const body = net.fake(net.op('Conv', [x, net.weights([8, 8, 1, 1])]), WIDE);
  const pooled = net.fake(net.op('GlobalAveragePool', [body]), { ...WIDE, scale: 0.03 });
  const gate = net.fake(net.op('Conv', [pooled, net.weights([8, 8, 1, 1])]), WIDE);
  const sigmoid = net.fake(net.op('HardSigmoid', [gate]), { dtype: 'u8', scale: 1 / 255, zeroPoint: 0 });
  const scaled = net.fake(net.op('Mul', [body, sigmoid]), WIDE);
  const swish = net.fake(net.op('HardSwish', [scaled]), WIDE);
  const last = net.fake(net.op('Conv', [swish, net.weights([3, 8, 3, 3])], { pads: [1, 1, 1, 1] }), {
    ...WIDE,
    scale: 0.4,
  });
  await check(net.bytes([last]), ['elementwise_mul', 'hard_sigmoid', 'hard_swish', 'pool2d']);
});

test('transposes and reshapes between convolutions and products', async () => {
  const net = new Network(8);
  const x = net.fake(net.input('x', [1, 6, 4, 5]), U8);
  const c = net.fake(net.op('Conv', [x, net.weights([6, 6, 1, 1])]), WIDE);
  const t = net.op('Transpose', [c], { perm: [0, 2, 3, 1] });
  const r = net.op('Reshape', [t, net.ints([20, 6])]);
  const m = net.fake(net.op('MatMul', [r, net.weights([6, 8], { axis: 1 })]), { ...WIDE, scale: 0.3 });
  const back = net.op('Transpose', [net.op('Reshape', [m, net.ints([1, 4, 5, 8])])], { perm: [0, 3, 1, 2] });
  const last = net.fake(net.op('Conv', [back, net.weights([4, 8, 3, 3])], { pads: [1, 1, 1, 1] }), {
    ...WIDE,
    scale: 2,
  });
  await check(net.bytes([last]), ['conv2d', 'transpose2', 'reshape2', 'mul']);
});

for (const activation of ['Sigmoid', 'Tanh', 'HardSwish', 'LeakyRelu', 'HardSigmoid'] as const)
  test(`${activation} fused behind a convolution, and as a table`, async () => {
    const net = new Network(9);
    const x = net.fake(net.input('x', [1, 4, 6, 7]), S8);
    const conv = () => net.op('Conv', [x, net.weights([9, 4, 1, 1], { axis: 0 }), net.values([9])]);
    const fused = net.fake(net.op(activation, [conv()]), { ...S8, scale: 0.01 });
    const table = net.fake(net.op(activation, [net.fake(conv(), WIDE)]), { ...S8, scale: 0.01 });
    await check(net.bytes([net.fake(net.op('Add', [fused, table]), S8)]), ['conv2d', 'elementwise_add']);
  });

test('one value with two grids, and with a float reader', async () => {
  const net = new Network(10);
  const x = net.fake(net.input('x', [1, 4, 6, 6]), U8);
  const y = net.op('Conv', [x, net.weights([4, 4, 3, 3])], { pads: [1, 1, 1, 1] });
  const a = net.fake(net.op('Conv', [net.fake(y, WIDE), net.weights([4, 4, 1, 1])]), WIDE);
  const b = net.fake(net.op('Conv', [net.fake(y, { ...WIDE, scale: 0.08 }), net.weights([4, 4, 1, 1])]), WIDE);
  await check(net.bytes([net.fake(net.op('Add', [a, b]), WIDE), net.op('Sigmoid', [y])]), ['conv2d']);
});

test.run();
