/** Convolutions that are lowered to Winograd kernels, compiled: codes bit-identical to the interpreter, reals as precise. */
import '../support/relaxed.js';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { planMemory } from '../../src/codegen/plan/memory.js';
import type { Plan } from '../../src/codegen/plan/plan.js';
import { Planner } from '../../src/codegen/plan/planner.js';
import { compile, lower } from '../../src/compile.js';
import { OPS } from '../../src/ops/index.js';
import { winogradBlocks } from '../../src/ops/lowering/winograd.js';
import { resolveOptions } from '../../src/options.js';
import { identical, outcome, relativeError } from '../support/compiled.js';
import { hasModels, modelBytes } from '../support/models.js';
import { type Grid, Network } from '../support/network.js';

const U8: Grid = { dtype: 'u8', scale: 0.02, zeroPoint: 117 };
const S8: Grid = { dtype: 'i8', scale: 0.017, zeroPoint: 0 };
const WIDE: Grid = { dtype: 'u8', scale: 0.3, zeroPoint: 131 };
const PADDED = { pads: [1, 1, 1, 1] };

const planOf = (model: Uint8Array): Plan => new Planner(lower(model, resolveOptions({})).graph, OPS).plan();

/** Nodes that are computed by a kernel of this kind. */
const nodesWith = (plan: Plan, kind: string): number =>
  new Set(plan.calls.filter((c) => c.kernel.name(c.params).includes(`-${kind}-`)).map((c) => c.node)).size;

async function check(model: Uint8Array, winograd: number, direct = 0): Promise<void> {
  const plan = planOf(model);
  assert.is(nodesWith(plan, 'winograd'), winograd, 'nodes on Winograd kernels');
  assert.is(nodesWith(plan, 'gemm'), direct, 'nodes on direct kernels');
  const result = await outcome(model);
  assert.ok(identical(result), 'module and interpreter differ');
  const [values] = Object.values(result.module) as [Float32Array];
  assert.ok(new Set(values).size > 20, 'outputs are all alike: the test shows nothing');
}

test('random shapes: tails, odd sizes, pads, batch, both weight forms', async () => {
  const cases = fc.record({
    seed: fc.integer({ min: 1, max: 1e6 }),
    batch: fc.integer({ min: 1, max: 2 }),
    channels: fc.integer({ min: 16, max: 37 }),
    filters: fc.integer({ min: 16, max: 37 }),
    pads: fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 2 }))),
    size: fc.tuple(fc.integer({ min: 6, max: 11 }), fc.integer({ min: 6, max: 11 })),
    u8: fc.boolean(),
    bias: fc.boolean(),
    residual: fc.boolean(),
    activation: fc.constantFrom(null, 'Relu', 'HardSwish'),
  });
  await fc.assert(
    fc.asyncProperty(cases, async (c) => {
      const net = new Network(c.seed);
      const grid = c.u8 ? U8 : S8;
      const x = net.fake(net.input('x', [c.batch, c.channels, ...c.size]), grid);
      const w = net.weights([c.filters, c.channels, 3, 3], c.u8 ? { u8: true } : { axis: 0 });
      let y = net.op('Conv', c.bias ? [x, w, net.values([c.filters])] : [x, w], { pads: c.pads });
      const [height, width] = [0, 1].map((d) => c.size[d]! + c.pads[d]! + c.pads[d + 2]! - 2) as [number, number];
      if (c.residual) y = net.op('Add', [y, net.fake(net.input('r', [c.batch, c.filters, height, width]), grid)]);
      if (c.activation) y = net.op(c.activation, [y]);
      await check(net.bytes([net.fake(y, WIDE)]), 1);
    }),
    { numRuns: 40 },
  );
});

test('reals: random shapes, the same on both targets', async () => {
  const cases = fc.record({
    seed: fc.integer({ min: 1, max: 1e6 }),
    batch: fc.integer({ min: 1, max: 2 }),
    channels: fc.integer({ min: 8, max: 21 }),
    filters: fc.integer({ min: 8, max: 21 }),
    pads: fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 2 }))),
    size: fc.tuple(fc.integer({ min: 5, max: 12 }), fc.integer({ min: 5, max: 12 })),
    residual: fc.boolean(),
    activation: fc.constantFrom(null, 'Relu', 'HardSwish'),
  });
  await fc.assert(
    fc.asyncProperty(cases, async (c) => {
      const net = new Network(c.seed);
      const x = net.input('x', [c.batch, c.channels, ...c.size]);
      let y = net.op('Conv', [x, net.values([c.filters, c.channels, 3, 3]), net.values([c.filters])], { pads: c.pads });
      const [height, width] = [0, 1].map((d) => c.size[d]! + c.pads[d]! + c.pads[d + 2]! - 2) as [number, number];
      if (c.residual) y = net.op('Add', [y, net.input('r', [c.batch, c.filters, height, width])]);
      const model = net.bytes([c.activation ? net.op(c.activation, [y]) : y]);
      assert.is(nodesWith(planOf(model), 'winograd'), 1);
      const result = await outcome(model);
      assert.ok(relativeError(result) < 1e-6, `relative error ${relativeError(result)}`);
      assert.equal((await outcome(model, { target: 'relaxed' })).module, result.module);
    }),
    { numRuns: 15 },
  );
});

test('reals: small layers and computed weights take other kernels', async () => {
  for (const [channels, size] of [
    [7, 9],
    [8, 4],
  ] as const) {
    const net = new Network(6);
    const y = net.op('Conv', [net.input('x', [1, channels, size, size]), net.values([8, channels, 3, 3])]);
    assert.is(nodesWith(planOf(net.bytes([y])), 'winograd'), 0);
  }
  const net = new Network(6);
  const computed = net.op('Conv', [net.input('x', [1, 8, 9, 9]), net.input('w', [8, 8, 3, 3])]);
  assert.is(nodesWith(planOf(net.bytes([computed])), 'winograd'), 0);
});

test('a chain whose values are read with different halos, and residuals on its own input', async () => {
  const net = new Network(3);
  const x = net.fake(net.input('x', [1, 16, 9, 7]), U8);
  const conv = (input: string, k = 3) =>
    net.op('Conv', [input, net.weights([16, 16, k, k], { axis: 0 })], k === 3 ? PADDED : {});
  const a = net.fake(net.op('Relu', [conv(x)]), { ...WIDE, zeroPoint: 0 });
  const b = net.fake(net.op('Relu', [net.op('Add', [conv(a), x])]), { ...WIDE, scale: 1 });
  const c = net.fake(conv(a, 1), WIDE);
  const d = net.fake(net.op('Conv', [a, net.weights([16, 16, 5, 5])], { pads: [2, 2, 2, 2] }), WIDE);
  await check(net.bytes([net.fake(net.op('Add', [net.op('Add', [conv(b), c]), d]), { ...WIDE, scale: 3 })]), 3, 2);
});

test('a real output, and several blocks', async () => {
  const net = new Network(4);
  const x = net.fake(net.input('x', [1, 16, 35, 21]), S8);
  const w = (): string => net.weights([16, 16, 3, 3], { axis: 0 });
  const y = net.fake(net.op('Conv', [x, w(), net.values([16])], PADDED), WIDE);
  await check(net.bytes([net.op('Conv', [y, w()], PADDED)]), 2);
});

/** A convolution 64 -> 16 with real output, and the codes of its weights and bias; scales 0.017, 0.01 and their product. */
function convolution(weight: (i: number) => number, bias: number): Uint8Array {
  const net = new Network(5);
  const shape = [16, 64, 3, 3];
  const grid = (scale: number, dtype: 'i8' | 'i32'): string[] => [
    net.constant({ shape: [], data: [scale] }),
    net.constant({ shape: [], dtype, data: [0] }),
  ];
  const data = Array.from({ length: 16 * 64 * 9 }, (_, i) => weight(i));
  const w = net.op('DequantizeLinear', [net.constant({ shape, dtype: 'i8', data }), ...grid(0.01, 'i8')]);
  const biases = net.constant({ shape: [16], dtype: 'i32', data: new Array<number>(16).fill(bias) });
  const b = net.op('DequantizeLinear', [biases, ...grid(0.01 * 0.017, 'i32')]);
  const x = net.fake(net.input('x', [1, 64, 6, 6]), S8);
  return net.bytes([net.op('Conv', [x, w, b], PADDED)]);
}

test('sums that do not fit when multiplied by four take the direct kernel', async () => {
  const plain = (i: number): number => ((i * 97) % 255) - 127;
  await check(convolution(plain, 2 ** 28), 1);
  await check(convolution(plain, 2 ** 29), 0, 1);
});

test('small or strided convolutions take the direct kernel', async () => {
  const model = (channels: number, size: number, attrs: Record<string, number[]>): Uint8Array => {
    const net = new Network(6);
    const x = net.fake(net.input('x', [1, channels, size, size]), U8);
    return net.bytes([net.fake(net.op('Conv', [x, net.weights([16, channels, 3, 3])], attrs), WIDE)]);
  };
  await check(model(16, 6, PADDED), 1);
  await check(model(15, 6, PADDED), 0, 1);
  await check(model(16, 5, {}), 0, 1);
  await check(model(16, 12, { strides: [2, 2] }), 0, 1);
  await check(model(16, 9, { dilations: [2, 2] }), 0, 1);
});

test('the file holds one byte per weight, the instance two for each of 16 elements', async () => {
  const net = new Network(8);
  const x = net.fake(net.input('x', [1, 64, 8, 8]), S8);
  const model = net.bytes([net.fake(net.op('Conv', [x, net.weights([64, 64, 3, 3], { axis: 0 })], PADDED), WIDE)]);
  const codes = 64 * 64 * 9;
  const { wasm } = await compile(model);
  assert.ok(wasm.length > codes && wasm.length < codes + 12000, `${wasm.length} bytes`);
  const plan = planOf(model);
  const packed = plan.buffers.filter((b) => b.kind === 'packed').map((b) => b.bytes);
  assert.equal(packed, [64 * 64 * 16 * 2]);
  assert.ok(planMemory(plan).total > codes);
});

test('blocks cover every pixel once', () => {
  for (const [rows, cols] of [
    [4, 4],
    [7, 7],
    [14, 15],
    [56, 56],
    [5, 300],
    [224, 223],
  ] as const) {
    const seen = new Uint8Array(rows * cols);
    for (const b of winogradBlocks(rows, cols, 56)) {
      assert.is((b.y % 2) + (b.x % 2), 0);
      for (let y = b.y; y < b.y + b.rows; y++) for (let x = b.x; x < b.x + b.cols; x++) seen[y * cols + x]!++;
    }
    assert.ok(seen.every((n) => n === 1));
  }
});

if (hasModels('resnet8 on Winograd kernels'))
  test('resnet8: the layers of stride 1', async () => {
    const model = modelBytes('resnet8_int8');
    assert.is(nodesWith(planOf(model), 'winograd'), 4);
    assert.ok(identical(await outcome(model)));
  });

test.run();
