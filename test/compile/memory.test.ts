/** Memory without copies: operands of concats in their places, slices as views, results over operands. */
import '../support/relaxed.js';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ModuleInfo } from '../../src/runtime/abi.js';
import { identical, outcome } from '../support/compiled.js';
import { type Grid, Network } from '../support/network.js';

const S8: Grid = { dtype: 'i8', scale: 0.03, zeroPoint: 0 };
const U8: Grid = { dtype: 'u8', scale: 0.04, zeroPoint: 110 };

/** The description of the module for either target; its results must be the interpreter's. */
async function checked(bytes: Uint8Array, range = 2): Promise<ModuleInfo> {
  const simd = await outcome(bytes, {}, 7, range);
  assert.ok(identical(simd), 'simd');
  assert.ok(identical(await outcome(bytes, { target: 'relaxed' }, 7, range)), 'relaxed');
  return simd.report;
}

const kernelsOf = (report: ModuleInfo, type: string): (string | undefined)[] =>
  report.ops.filter((op) => op.type === type).map((op) => op.kernel);

const convolution = (net: Network, x: string, shape: readonly number[], attrs = {}): string =>
  net.fake(net.op('Relu', [net.op('Conv', [x, net.weights(shape, { axis: 0, scale: 0.004 })], attrs)]), S8);

test('convolutions of all sorts, pools and sums write into the channels of a concat', async () => {
  const net = new Network(2);
  const x = net.fake(net.input('x', [2, 20, 9, 8]), S8);
  const squeezed = convolution(net, x, [16, 20, 1, 1]);
  const branches = [
    convolution(net, squeezed, [24, 16, 1, 1]),
    convolution(net, squeezed, [21, 16, 3, 3], { pads: [1, 1, 1, 1] }),
    convolution(net, squeezed, [16, 1, 3, 3], { pads: [1, 1, 1, 1], group: 16 }),
    net.op('MaxPool', [squeezed], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
    net.fake(net.op('Add', [squeezed, net.fake(net.op('AveragePool', [squeezed], { kernel_shape: [1, 1] }), S8)]), S8),
  ];
  const inner = net.op('Concat', branches.slice(0, 2), { axis: 1 });
  const outer = net.op('Concat', [...branches.slice(2), inner], { axis: 1 });
  const last = convolution(net, outer, [11, 93, 3, 3], { pads: [1, 1, 1, 1] });
  const report = await checked(net.bytes([last]));
  assert.equal(kernelsOf(report, 'concat'), [undefined, undefined]);
});

test('an operand that others read, or that is there twice, is copied', async () => {
  const net = new Network(3);
  const x = net.fake(net.input('x', [1, 6, 5, 5]), S8);
  const [a, b] = [convolution(net, x, [4, 6, 1, 1]), convolution(net, x, [5, 6, 1, 1])];
  const concat = net.op('Concat', [a, b, b, x], { axis: 1 });
  const report = await checked(net.bytes([convolution(net, concat, [7, 20, 1, 1]), convolution(net, a, [3, 4, 1, 1])]));
  assert.is(kernelsOf(report, 'concat').length, 1);
  assert.ok(kernelsOf(report, 'concat')[0]?.includes('copy'));
});

test('concats and slices along every axis and rank, in codes and reals', async () => {
  const cases = fc.record({
    seed: fc.nat(1e6),
    shape: fc.oneof(
      fc.tuple(fc.integer({ min: 1, max: 2 }), ...[1, 2, 3].map(() => fc.integer({ min: 2, max: 5 }))),
      fc.tuple(fc.integer({ min: 1, max: 2 }), ...[1, 2].map(() => fc.integer({ min: 2, max: 6 }))),
    ),
    axis: fc.integer({ min: -3, max: 2 }),
    real: fc.boolean(),
    step: fc.constantFrom(1, 1, 2),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ seed, shape, axis, real, step }) => {
      const net = new Network(seed + 1);
      const grid = (x: string): string => (real ? x : net.fake(x, U8));
      const x = grid(net.input('x', shape));
      const [a, b] = [grid(net.op('Abs', [x])), grid(net.op('Neg', [x]))];
      const joined = net.op('Concat', [a, b, a], { axis });
      const extent = 3 * (shape.at(axis) as number);
      const part = net.op('Slice', [joined, net.ints([1]), net.ints([extent - 1]), net.ints([axis]), net.ints([step])]);
      const sum = grid(net.op('Add', [part, part]));
      const outputs = [sum, grid(net.op('Relu', [part])), net.op('Concat', [sum, part], { axis: 0 })];
      if (shape.length === 4) {
        const channels = axis === 1 || axis === -3 ? Math.ceil((extent - 2) / step) : (shape[1] as number);
        if (!real) outputs.push(convolution(net, part, [3, channels, 2, 2], { pads: [1, 1, 1, 1] }));
      }
      await checked(net.bytes(outputs));
    }),
    { numRuns: 25 },
  );
});

test('a slice of outer dimensions has no kernel', async () => {
  const net = new Network(4);
  const x = net.fake(net.input('x', [1, 12, 8]), S8);
  const relu = net.fake(net.op('Relu', [x]), S8);
  const half = net.op('Slice', [relu, net.ints([0]), net.ints([6]), net.ints([1])]);
  const rest = net.op('Slice', [relu, net.ints([6]), net.ints([12]), net.ints([1])]);
  const report = await checked(net.bytes([net.fake(net.op('Add', [half, rest]), S8)]));
  assert.equal(kernelsOf(report, 'slice'), [undefined, undefined]);
});

test('sums and functions write over operands that nobody reads any more', async () => {
  const build = (keep: boolean): Uint8Array => {
    const net = new Network(5);
    const x = net.fake(net.input('x', [1, 2, 32, 32]), S8);
    const [a, b] = [convolution(net, x, [16, 2, 1, 1]), convolution(net, x, [16, 2, 1, 1])];
    const sum = net.fake(net.op('Add', [net.fake(net.op('Sigmoid', [a]), U8), b]), S8);
    const last = net.op('GlobalAveragePool', [sum]);
    // whoever reads both again keeps them
    return net.bytes(keep ? [last, net.op('GlobalAveragePool', [a]), net.op('GlobalMaxPool', [b])] : [last]);
  };
  const [over, apart] = [await checked(build(false)), await checked(build(true))];
  assert.ok(over.memory.activations + 16 * 32 * 32 < apart.memory.activations);
});

test('what is still read is not written over', async () => {
  const net = new Network(6);
  const x = net.fake(net.input('x', [1, 16, 12, 12]), S8);
  const a = convolution(net, x, [16, 16, 1, 1]);
  const conv = (y: string, k: number): string =>
    net.op('Conv', [y, net.weights([16, 16, k, k], { axis: 0, scale: 0.004 })], { pads: Array(4).fill(k >> 1) });
  const add = (y: string, z: string): string => net.fake(net.op('Add', [y, z]), S8);
  const twice = add(a, a); // both operands are one
  const own = add(conv(twice, 3), twice); // the residual is the convolution's own input
  const view = net.op('Reshape', [own, net.ints([1, 16, 144])]); // a second name, read later
  const next = add(conv(own, 1), add(own, a));
  const report = await checked(net.bytes([next, net.fake(net.op('Relu', [view]), S8)]));
  assert.ok(report.memory.activations > 0);
});

test.run();
