/** The relaxed target: the outputs of the simd target, byte by byte, and the kernels that make the difference. */
import '../support/relaxed.js';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import { f32 } from '../../src/ir/tensor.js';
import { sizeOf } from '../../src/ir/type.js';
import type { OpInfo, Target } from '../../src/runtime/abi.js';
import { identical, outcome, runTwice } from '../support/compiled.js';
import { hasModels, INT8_MODELS, modelBytes } from '../support/models.js';
import { type Grid, Network, random } from '../support/network.js';

const S8: Grid = { dtype: 'i8', scale: 0.017, zeroPoint: 0 };
const WIDE: Grid = { dtype: 'i8', scale: 0.11, zeroPoint: 0 };
const U8: Grid = { dtype: 'u8', scale: 0.02, zeroPoint: 117 };

/** Compiles for both targets; all outputs must be those of the interpreter. Returns the ops of the relaxed module. */
async function check(bytes: Uint8Array): Promise<readonly OpInfo[]> {
  const [simd, relaxed] = [await outcome(bytes), await outcome(bytes, { target: 'relaxed' })];
  assert.is(relaxed.report.target, 'relaxed');
  assert.ok(identical(simd), 'simd and interpreter differ');
  assert.ok(identical(relaxed), 'relaxed and interpreter differ');
  for (const [name, values] of Object.entries(simd.module))
    assert.equal(Buffer.compare(Buffer.from(values.buffer), Buffer.from(relaxed.module[name].buffer)), 0);
  return relaxed.report.ops;
}

const kernels = (ops: readonly OpInfo[]): string[] => ops.flatMap((op) => op.kernel ?? []);

/** The outputs of a model on seeded inputs. */
async function runOnce(bytes: Uint8Array, target: Target): Promise<readonly Buffer[]> {
  const { wasm, report } = await compile(bytes, { target });
  const next = random(9);
  const feeds = Object.fromEntries(
    report.entries[0].inputs.map(({ name, shape }) => [
      name,
      f32(
        shape,
        Array.from({ length: sizeOf(shape) }, () => 2 * next()),
      ),
    ]),
  );
  return Object.values(runTwice(wasm, feeds)).map((data) => Buffer.from(data.buffer));
}

/** A symmetric network: quantized input, relu after the first convolution, so that the next layer has 0..127. */
function start(net: Network, shape: readonly number[], channels: number): string {
  const x = net.fake(net.input('x', shape), S8);
  const w = net.weights([channels, shape[1], 1, 1], { axis: 0 });
  return net.fake(net.op('Relu', [net.op('Conv', [x, w, net.values([channels])])]), { ...S8, scale: 0.05 });
}

test('an inverted residual block: i8 between the layers that read it, i16 elsewhere', async () => {
  const net = new Network(3);
  const x = net.fake(net.input('x', [1, 8, 9, 10]), S8);
  const conv = (input: string, n: number, c: number) =>
    net.op('Conv', [input, net.weights([n, c, 1, 1], { axis: 0, scale: 0.004 }), net.values([n])]);
  const relu6 = (y: string) =>
    net.op('Clip', [y, net.constant({ shape: [], data: [0] }), net.constant({ shape: [], data: [6] })]);
  const expanded = net.fake(relu6(conv(x, 20, 8)), { ...S8, scale: 6 / 127 });
  const w = net.weights([20, 1, 3, 3], { axis: 0, scale: 0.004 });
  const depthwise = net.op('Conv', [expanded, w, net.values([20])], { pads: [1, 1, 1, 1], group: 20 });
  const filtered = net.fake(relu6(depthwise), { ...S8, scale: 6 / 127 });
  const projected = net.fake(conv(filtered, 8, 20), WIDE);
  const sum = net.fake(net.op('Add', [projected, x]), WIDE);
  const names = kernels(await check(net.bytes([sum])));
  assert.match(names.join(), /i16-gemm-\d+x\d+-requant-simd/);
  assert.ok(names.includes('i8-depthwise-3x3-requant-relaxed'), names.join());
  assert.match(names.join(), /i8-gemm-\d+x\d+-requant-relaxed/);
});

test('weights beyond int8 take pairs of i16, also on operands that others read as i8', async () => {
  const net = new Network(4);
  const a = start(net, [1, 3, 7, 7], 6);
  const wide = net.op('Conv', [a, net.weights([5, 6, 3, 3], { u8: true })], { pads: [1, 1, 1, 1] });
  const narrow = net.op('Conv', [a, net.weights([5, 6, 3, 3], { axis: 0 })], { pads: [1, 1, 1, 1] });
  const names = kernels(await check(net.bytes([net.fake(wide, WIDE), net.fake(narrow, WIDE)])));
  assert.match(names.join(), /i8-gemm-\d+x\d+-requant-simd/);
  assert.match(names.join(), /i8-gemm-\d+x\d+-requant-relaxed/);
});

test('i8 passes through pools, reshapes, transposes, slices and concat', async () => {
  const net = new Network(5);
  const a = start(net, [1, 3, 8, 8], 12);
  const max = net.op('MaxPool', [a], { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 1, 1] });
  const both = net.op('Concat', [max, max], { axis: 1 });
  const part = net.op('Slice', [both, net.ints([2]), net.ints([20]), net.ints([1])]);
  const conv = net.op('Conv', [part, net.weights([10, 18, 3, 3], { axis: 0 })], { pads: [1, 1, 1, 1] });
  const b = net.fake(net.op('Relu', [conv]), { ...WIDE, scale: 0.5 });
  const average = net.fake(net.op('AveragePool', [b], { kernel_shape: [2, 2], strides: [2, 2] }), {
    ...WIDE,
    scale: 0.4,
  });
  const moved = net.op('Reshape', [net.op('Transpose', [average], { perm: [0, 2, 3, 1] }), net.ints([1, 40])]);
  const dense = net.fake(net.op('Gemm', [moved, net.weights([40, 9], { axis: 1 }), net.values([9])]), {
    ...WIDE,
    scale: 2,
  });
  const names = kernels(await check(net.bytes([dense, net.op('Softmax', [dense])])));
  for (const name of ['i8-maxpool-2x2-i8-simd', 'i16-averagepool-2x2-i8-simd'])
    assert.ok(names.includes(name), `${name} is not in ${names.join()}`);
  assert.match(names.join(), /i8-gemm-1x\d+-requant-relaxed/);
});

test('residuals, requantized concat, tables and clamps on i8', async () => {
  const net = new Network(6);
  const a = start(net, [1, 3, 6, 6], 8);
  const conv = (x: string, n: number, c: number) =>
    net.op('Conv', [x, net.weights([n, c, 3, 3], { axis: 0 })], { pads: [1, 1, 1, 1] });
  const fused = net.fake(net.op('Relu', [net.op('Add', [conv(a, 8, 8), a])]), { ...WIDE, scale: 0.3 });
  const swish = net.fake(net.op('HardSwish', [fused]), { ...WIDE, scale: 0.3 });
  const sigmoid = net.fake(net.op('Sigmoid', [fused]), { ...WIDE, scale: 1 / 127 });
  const added = net.fake(net.op('Add', [swish, sigmoid]), { ...WIDE, scale: 0.4 });
  const joined = net.fake(net.op('Concat', [added, a], { axis: 1 }), { ...WIDE, scale: 0.35 });
  const last = net.fake(conv(joined, 5, 16), { ...WIDE, scale: 4 });
  const names = kernels(await check(net.bytes([last, net.fake(conv(swish, 4, 8), { ...WIDE, scale: 4 })])));
  assert.ok(names.filter((n) => n.endsWith('relaxed')).length >= 3, names.join());
});

test('random convolutions give the bytes of the simd target', async () => {
  const pair = (min: number, max: number) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));
  const cases = fc.record({
    seed: fc.integer({ min: 1, max: 1e6 }),
    batch: fc.integer({ min: 1, max: 2 }),
    groups: fc.constantFrom(1, 1, 2, 3),
    perGroup: fc.integer({ min: 1, max: 9 }),
    filters: fc.integer({ min: 1, max: 11 }),
    k: pair(1, 4),
    strides: pair(1, 3),
    dilations: pair(1, 2),
    pads: fc.tuple(pair(0, 2), pair(0, 2)).map((p) => p.flat()),
    size: pair(7, 12),
    weights: fc.constantFrom<object>({ axis: 0 }, { axis: 0, scale: 0.001 }, {}, { u8: true }),
    first: fc.constantFrom(S8, S8, U8),
    relu: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(cases, async (c) => {
      const net = new Network(c.seed);
      const channels = c.groups * c.perGroup;
      const x = net.fake(net.op('Relu', [net.input('x', [c.batch, channels, ...c.size])]), c.first);
      const a = net.fake(
        net.op('Relu', [net.op('Conv', [x, net.weights([channels, channels, 1, 1], { axis: 0 })])]),
        WIDE,
      );
      const attrs = { strides: c.strides, dilations: c.dilations, pads: c.pads, group: c.groups };
      const y = net.op('Conv', [a, net.weights([c.filters * c.groups, c.perGroup, ...c.k], c.weights)], attrs);
      const out = net.fake(c.relu ? net.op('Relu', [y]) : y, { ...WIDE, scale: 0.7 });
      await check(net.bytes([out]));
    }),
    { numRuns: Number(process.env.QC_RUNS ?? 60) },
  );
});

test('random depthwise convolutions give the bytes of the simd target', async () => {
  const cases = fc.record({
    seed: fc.integer({ min: 1, max: 1e6 }),
    channels: fc.integer({ min: 2, max: 40 }),
    k: fc.constantFrom(1, 2, 3, 5, 7),
    stride: fc.integer({ min: 1, max: 2 }),
    dilation: fc.integer({ min: 1, max: 2 }),
    pad: fc.integer({ min: 0, max: 3 }),
    size: fc.integer({ min: 13, max: 16 }),
    small: fc.boolean(),
    axis: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(cases, async (c) => {
      const net = new Network(c.seed);
      const a = start(net, [1, 3, c.size, c.size + 1], c.channels);
      const w = net.weights([c.channels, 1, c.k, c.k], { ...(c.axis ? { axis: 0 } : {}), range: c.small ? 0.1 : 1 });
      const pads = [c.pad, c.pad, c.pad, c.pad].map((p) => Math.min(p, c.k - 1));
      const attrs = { strides: [c.stride, c.stride], dilations: [c.dilation, c.dilation], pads, group: c.channels };
      const y = net.fake(net.op('Relu', [net.op('Conv', [a, w], attrs)]), WIDE);
      await check(net.bytes([net.fake(net.op('Conv', [y, net.weights([5, c.channels, 1, 1], { axis: 0 })]), WIDE)]));
    }),
    { numRuns: Number(process.env.QC_RUNS ?? 60) },
  );
});

for (const name of INT8_MODELS)
  if (hasModels(`${name} for both targets`))
    test(`${name}: both targets give the same bytes`, async () => {
      const bytes = modelBytes(name);
      const [simd, relaxed] = [await runOnce(bytes, 'simd'), await runOnce(bytes, 'relaxed')];
      assert.equal(relaxed, simd);
    });

test.run();
