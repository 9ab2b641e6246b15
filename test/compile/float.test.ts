/** Float networks, compiled: within float32 rounding of the references (which sum in float64). */
import '../support/relaxed.js';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import { outcome, relativeError } from '../support/compiled.js';
import { Network } from '../support/network.js';

const TOLERANCE = 2e-6;

async function check(bytes: Uint8Array): Promise<void> {
  const result = await outcome(bytes);
  const error = relativeError(result);
  assert.ok(error < TOLERANCE, `relative error ${error}`);
  assert.ok(result.report.ops.every((o) => !o.int8));
}

test('random convolutions', async () => {
  const cases = fc.record({
    seed: fc.integer({ min: 1, max: 1e6 }),
    batch: fc.integer({ min: 1, max: 2 }),
    groups: fc.constantFrom(1, 1, 2, 4),
    perGroup: fc.integer({ min: 1, max: 5 }),
    filters: fc.integer({ min: 1, max: 9 }),
    k: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
    strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    dilations: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
    pads: fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 2 }))),
    size: fc.tuple(fc.integer({ min: 7, max: 11 }), fc.integer({ min: 7, max: 11 })),
    activation: fc.constantFrom('', 'Relu', 'HardSwish', 'Sigmoid'),
    depthwise: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(cases, async (c) => {
      const net = new Network(c.seed);
      const channels = c.groups * c.perGroup;
      const [group, filters] = c.depthwise ? [channels, channels] : [c.groups, c.filters * c.groups];
      const x = net.input('x', [c.batch, channels, ...c.size]);
      const w = net.values([filters, channels / group, ...c.k]);
      const attrs = { strides: c.strides, dilations: c.dilations, pads: c.pads, group };
      const y = net.op('Conv', [x, w, net.values([filters])], attrs);
      await check(net.bytes([c.activation ? net.op(c.activation, [y]) : y]));
    }),
    { numRuns: 60 },
  );
});

test('batch normalization, folded and alone', async () => {
  const net = new Network(2);
  const x = net.input('x', [2, 6, 7, 8]);
  const norm = (v: string) => {
    const variance = net.constant({ shape: [6], data: Array.from({ length: 6 }, () => 1.5 + net.next()) });
    return net.op('BatchNormalization', [v, net.values([6]), net.values([6]), net.values([6]), variance]);
  };
  const folded = norm(net.op('Conv', [norm(x), net.values([6, 6, 3, 3])], { pads: [1, 1, 1, 1] }));
  await check(net.bytes([norm(net.op('Relu', [folded]))]));
});

test('pools with pads, ceil mode and counted padding', async () => {
  const net = new Network(3);
  const x = net.input('x', [2, 5, 9, 11]);
  const pool = (op: string, attrs: Record<string, number | number[]>) =>
    net.op(op, [x], { kernel_shape: [3, 2], strides: [2, 2], pads: [1, 1, 1, 0], ...attrs });
  await check(net.bytes([pool('MaxPool', { ceil_mode: 1 })]));
  await check(net.bytes([pool('AveragePool', { count_include_pad: 1 })]));
  await check(net.bytes([pool('AveragePool', { ceil_mode: 1 })]));
  await check(net.bytes([net.op('GlobalAveragePool', [x]), net.op('GlobalMaxPool', [x])]));
});

test('elementwise ops with broadcasting in all directions', async () => {
  for (const op of ['Add', 'Sub', 'Mul', 'Div'])
    for (const shape of [[], [1], [8], [7, 8], [6, 1, 1], [1, 6, 1, 8], [2, 1, 1, 1], [2, 6, 7, 8]]) {
      const net = new Network(4);
      const x = net.input('x', [2, 6, 7, 8]);
      const other = net.op('Add', [net.values(shape, 0.5), net.constant({ shape: [], data: [2] })]);
      await check(
        net.bytes([net.op(op, [x, other]), net.op(op, [net.op('Sigmoid', [other]), net.op('Sigmoid', [x])])]),
      );
    }
});

test('two inputs, products of activations, softmax over every axis', async () => {
  const net = new Network(5);
  const [a, b] = [net.input('a', [2, 3, 4, 5]), net.input('b', [2, 3, 5, 6])];
  const product = net.op('MatMul', [a, b]);
  const outputs = [0, 1, 2, 3].map((axis) => net.op('Softmax', [product], { axis }));
  await check(net.bytes([...outputs, net.op('MatMul', [a, net.input('c', [3, 5, 2])])]));
});

test('movement: transpose, reshape, concat, slice, expand, squeeze over images and lists', async () => {
  const net = new Network(6);
  const x = net.input('x', [2, 3, 4, 5]);
  const outputs = [
    ...[
      [0, 2, 3, 1],
      [3, 2, 1, 0],
      [1, 0, 2, 3],
      [0, 1, 3, 2],
    ].map((perm) => net.op('Transpose', [x], { perm })),
    net.op('Reshape', [x, net.ints([6, 20])]),
    net.op('Reshape', [net.op('Relu', [x]), net.ints([4, 5, 3, 2])]),
    ...[0, 1, 2, 3].map((axis) => net.op('Concat', [x, net.op('Relu', [x]), x], { axis })),
    net.op('Slice', [x, net.ints([1, 3]), net.ints([3, 0]), net.ints([1, 3]), net.ints([1, -2])]),
    net.op('Expand', [net.op('Slice', [x, net.ints([0]), net.ints([1]), net.ints([1])]), net.ints([2, 3, 4, 5])]),
    net.op('Flatten', [x], { axis: 2 }),
    net.op('Unsqueeze', [net.op('Relu', [x]), net.ints([0])]),
  ];
  await check(net.bytes(outputs));
});

test('means over axes, with and without kept dimensions', async () => {
  const net = new Network(7);
  const x = net.input('x', [2, 3, 4, 5]);
  const mean = (axes: number[], keepdims: number) => net.op('ReduceMean', [net.op('Relu', [x])], { axes, keepdims });
  await check(net.bytes([mean([2, 3], 1), mean([2, 3], 0), mean([1], 0), mean([0, 3], 1), mean([-1], 1)]));
});

test('one tensor to several convolutions with different pads; outputs that are also read', async () => {
  const net = new Network(8);
  const x = net.input('x', [1, 4, 8, 8]);
  const body = net.op('Relu', [net.op('Conv', [x, net.values([6, 4, 1, 1])])]);
  const convs = [1, 3, 5].map((k) =>
    net.op('Conv', [body, net.values([6, 6, k, k])], { pads: [k >> 1, k >> 1, k >> 1, k >> 1] }),
  );
  const sum = net.op('Add', [net.op('Add', [convs[0], convs[1]]), convs[2]]);
  await check(net.bytes([sum, body, net.op('Relu', [sum])]));
});

test('constants as outputs, an input as output', async () => {
  const net = new Network(9);
  const x = net.input('x', [1, 3, 4, 4]);
  await check(net.bytes([net.op('Identity', [x]), net.op('Add', [x, net.values([1, 3, 1, 1])])]));
});

test('fast math: reals within rounding of the reference, integers exact; it needs relaxed SIMD', async () => {
  const net = new Network(12);
  const x = net.input('x', [1, 16, 9, 9]);
  const conv = net.op('Relu', [
    net.op('Conv', [x, net.values([24, 16, 3, 3]), net.values([24])], { pads: [1, 1, 1, 1] }),
  ]);
  const depthwise = net.op('Conv', [conv, net.values([24, 1, 3, 3])], { group: 24 });
  const flat = net.op('Reshape', [depthwise, net.ints([7, 168])]);
  const scores = net.op('MatMul', [flat, net.op('Transpose', [flat], { perm: [1, 0] })]);
  const model = net.bytes([net.op('MatMul', [flat, net.values([168, 20])]), scores]);
  const fast = await outcome(model, { target: 'relaxed', fastMath: true });
  assert.is(fast.report.fastMath, true);
  assert.is(fast.report.selfTest, undefined);
  assert.ok(relativeError(fast) < 2e-6);
  const strict = await outcome(model, { target: 'relaxed' });
  assert.equal(strict.module, (await outcome(model)).module);
  const [plain, fused] = [
    await compile(model, { target: 'relaxed' }),
    await compile(model, { target: 'relaxed', fastMath: true }),
  ];
  assert.ok(fused.report.memory.bytes === plain.report.memory.bytes && fused.wasm.length < plain.wasm.length);
  await compile(model, { fastMath: true }).then(
    () => assert.unreachable(),
    (error) => assert.match(error.message, /fast math needs/),
  );
});

test.run();
