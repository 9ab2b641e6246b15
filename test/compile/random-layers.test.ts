/**
 * Random layers on codes, for both targets: byte-identical, and equal to the reference. QC_RUNS=1000 takes some minutes.
 */
import '../support/relaxed.js';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { identical, outcome } from '../support/compiled.js';
import { type Grid, Network } from '../support/network.js';
import type { AttrSpec } from '../support/onnx.js';

const LAYERS = Number(process.env.QC_RUNS ?? 48);

const integer = (min: number, max: number) => fc.integer({ min, max });
const pair = (min: number, max: number) => fc.tuple(integer(min, max), integer(min, max));

const grid: fc.Arbitrary<Grid> = fc.oneof(
  fc.record({
    dtype: fc.constant('u8' as const),
    scale: fc.constantFrom(0.013, 0.05, 1 / 64),
    zeroPoint: integer(0, 255),
  }),
  fc.record({
    dtype: fc.constant('i8' as const),
    scale: fc.constantFrom(0.017, 0.06),
    zeroPoint: fc.oneof(fc.constant(0), integer(-128, 127)),
  }),
);

/** What every layer has. */
const common = fc.record({
  seed: integer(1, 1e6),
  input: grid,
  output: grid,
  /** The layer reads codes in 0..127: what relaxed kernels need. */
  positive: fc.boolean(),
  /** Weights with their own zero points; else symmetric ones, per channel. */
  u8Weights: fc.boolean(),
  /** Weights of every size; the least and the greatest code only; or few great ones among small ones, as in trained networks. */
  weights: fc.constantFrom('usual', 'extreme', 'peaked'),
  bias: fc.boolean(),
  relu: fc.constantFrom('', '', 'Relu', 'HardSwish'),
  /** Inputs reach this many units: most grids end earlier. */
  range: fc.constantFrom(1, 3, 20),
});
type Common = typeof common extends fc.Arbitrary<infer T> ? T : never;

/** Quantized weights. */
function weights(net: Network, c: Common, shape: readonly number[], axis: number): string {
  if (c.weights === 'usual')
    return net.weights(shape, c.u8Weights ? { u8: true, scale: 0.003 } : { axis, scale: 0.003 });
  const n = shape.reduce((a, b) => a * b, 1);
  const [lo, hi, dtype] = c.u8Weights ? ([0, 255, 'u8'] as const) : ([-128, 127, 'i8'] as const);
  const zero = c.u8Weights ? 128 : 0;
  const code = (v: number): number => (c.weights === 'extreme' ? (v < 0 ? lo : hi) : zero + Math.round(127 * v ** 3));
  const codes = net.constant({ shape, dtype, data: Array.from({ length: n }, () => code(net.next())) });
  return net.op('DequantizeLinear', [codes, ...net.params([0.003], [zero], dtype)]);
}

/** The quantized input of a layer. */
function start(net: Network, c: Common, shape: readonly number[]): string {
  const x = net.fake(net.input('x', shape), c.input);
  if (!c.positive) return x;
  const channels = shape[shape.length === 4 ? 1 : shape.length - 1] as number;
  const identity = Array.from({ length: channels ** 2 }, (_, i) => (i % (channels + 1) === 0 ? 100 : 0));
  const codes = net.constant({
    shape: shape.length === 4 ? [channels, channels, 1, 1] : [channels, channels],
    dtype: 'i8',
    data: identity,
  });
  const w = net.op('DequantizeLinear', [codes, ...net.params([0.01], [0], 'i8')]);
  const y = net.op(shape.length === 4 ? 'Conv' : 'MatMul', [x, w]);
  return net.fake(net.op('Relu', [y]), { dtype: 'i8', scale: 0.02, zeroPoint: 0 });
}

const finish = (net: Network, c: Common, y: string): Uint8Array =>
  net.bytes([net.fake(c.relu ? net.op(c.relu, [y]) : y, c.output)]);

const convolution = fc
  .record({
    common,
    batch: fc.constantFrom(1, 1, 2),
    groups: fc.constantFrom(1, 1, 1, 2, 3),
    perGroup: integer(1, 19),
    filters: integer(1, 21),
    k: pair(1, 4),
    strides: pair(1, 3),
    dilations: pair(1, 2),
    pads: fc.tuple(...[0, 1, 2, 3].map(() => integer(0, 2))),
    size: pair(7, 14),
    residual: fc.boolean(),
  })
  .map((c) => ({
    name: 'convolution',
    common: c.common,
    build: (net: Network): Uint8Array => {
      const [channels, filters] = [c.groups * c.perGroup, c.groups * c.filters];
      const x = start(net, c.common, [c.batch, channels, ...c.size]);
      const inputs = [x, weights(net, c.common, [filters, c.perGroup, ...c.k], 0)];
      if (c.common.bias) inputs.push(net.values([filters]));
      const attrs = { strides: c.strides, dilations: c.dilations, pads: c.pads, group: c.groups };
      const y = net.op('Conv', inputs, attrs);
      if (!c.residual) return finish(net, c.common, y);
      const shape = c.size.map((n, d) => {
        const reach = c.dilations[d]! * (c.k[d]! - 1) + 1;
        return Math.floor((n + c.pads[d]! + c.pads[d + 2]! - reach) / c.strides[d]!) + 1;
      });
      const other = net.fake(net.input('r', [c.batch, filters, ...shape]), c.common.output);
      return finish(net, c.common, net.op('Add', [y, other]));
    },
  }));

/** Large enough for Winograd. */
const square = fc
  .record({ common, channels: integer(16, 26), filters: integer(16, 27), size: pair(4, 13), pad: integer(0, 1) })
  .map((c) => ({
    name: '3x3',
    common: c.common,
    build: (net: Network): Uint8Array => {
      const x = start(net, c.common, [1, c.channels, ...c.size.map((n) => n + 2 - 2 * c.pad)]);
      const inputs = [x, weights(net, c.common, [c.filters, c.channels, 3, 3], 0)];
      if (c.common.bias) inputs.push(net.values([c.filters]));
      return finish(net, c.common, net.op('Conv', inputs, { pads: Array(4).fill(c.pad) }));
    },
  }));

const depthwise = fc
  .record({
    common,
    channels: integer(2, 37),
    k: fc.constantFrom(1, 2, 3, 3, 5, 7),
    strides: pair(1, 2),
    dilation: fc.constantFrom(1, 1, 2),
    pads: fc.tuple(...[0, 1, 2, 3].map(() => integer(0, 3))),
    size: pair(13, 16),
  })
  .map((c) => ({
    name: 'depthwise',
    common: c.common,
    build: (net: Network): Uint8Array => {
      const x = start(net, c.common, [1, c.channels, ...c.size]);
      const inputs = [x, weights(net, c.common, [c.channels, 1, c.k, c.k], 0)];
      if (c.common.bias) inputs.push(net.values([c.channels]));
      const dilations = [c.dilation, c.dilation];
      const attrs: Record<string, AttrSpec> = { strides: c.strides, dilations, pads: c.pads, group: c.channels };
      return finish(net, c.common, net.op('Conv', inputs, attrs));
    },
  }));

const product = fc.record({ common, rows: integer(1, 19), k: integer(1, 300), columns: integer(1, 43) }).map((c) => ({
  name: 'product',
  common: c.common,
  build: (net: Network): Uint8Array => {
    const x = start(net, c.common, [c.rows, c.k]);
    const y = net.op('MatMul', [x, weights(net, c.common, [c.k, c.columns], 1)]);
    return finish(net, c.common, c.common.bias ? net.op('Add', [y, net.values([c.columns])]) : y);
  },
}));

const activations = fc
  .record({ common, batch: integer(1, 3), m: integer(1, 17), k: integer(1, 40), n: integer(1, 21), other: grid })
  .map((c) => ({
    name: 'product of activations',
    common: c.common,
    build: (net: Network): Uint8Array => {
      const x = start(net, c.common, [c.batch, c.m, c.k]);
      const y = net.fake(net.input('y', [c.batch, c.k, c.n]), c.other);
      return finish(net, c.common, net.op('MatMul', [x, y]));
    },
  }));

/** Pools, sums, concats, transposes and resizes on the way of a value; int8 because a product is in front of them. */
const others = fc
  .record({
    common,
    channels: integer(1, 35),
    size: pair(5, 11),
    k: pair(2, 3),
    strides: pair(1, 3),
    pads: fc.tuple(...[0, 1, 2, 3].map(() => integer(0, 1))),
    average: fc.boolean(),
    second: grid,
    op: fc.constantFrom('Add', 'Mul', 'Concat', 'Transpose', 'Resize', 'Global'),
  })
  .map((c) => ({
    name: `pool, ${c.op}`,
    common: c.common,
    build: (net: Network): Uint8Array => {
      const x = start(net, { ...c.common, positive: true }, [1, c.channels, ...c.size]);
      const attrs = { kernel_shape: c.k, strides: c.strides, pads: c.pads };
      const pool = net.op(c.average ? 'AveragePool' : 'MaxPool', [x], attrs);
      const y = net.fake(pool, c.second);
      const z = net.fake(net.op('Sigmoid', [y]), c.common.input);
      if (c.op === 'Concat') return finish(net, c.common, net.op('Concat', [y, z], { axis: 1 }));
      if (c.op === 'Transpose') return finish(net, c.common, net.op('Transpose', [z], { perm: [0, 2, 3, 1] }));
      if (c.op === 'Global') return finish(net, c.common, net.op('GlobalAveragePool', [z]));
      if (c.op !== 'Resize') return finish(net, c.common, net.op(c.op, [y, z]));
      const scales = net.constant({ shape: [4], data: [1, 1, 2, 2] });
      const how = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' };
      return finish(net, c.common, net.op('Resize', [z, net.constant({ shape: [0], data: [] }), scales], how));
    },
  }));

test(`${LAYERS} random layers: both targets give the bytes of the reference`, async () => {
  const layer = fc.oneof(convolution, convolution, square, depthwise, product, activations, others);
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(layer, async ({ name, common: c, build }) => {
      const model = build(new Network(c.seed));
      const simd = await outcome(model, {}, c.seed, c.range);
      const relaxed = await outcome(model, { target: 'relaxed' }, c.seed, c.range);
      assert.ok(identical(simd), `${name}: simd differs from the reference`);
      assert.ok(identical(relaxed), `${name}: relaxed differs from the reference`);
      for (const [output, values] of Object.entries(simd.module))
        assert.equal(
          Buffer.compare(Buffer.from(values.buffer), Buffer.from((relaxed.module[output] as Float32Array).buffer)),
          0,
        );
      for (const { kernel } of relaxed.report.ops) if (kernel) seen.set(kernel.replace(/\d+x\d+/g, ''), 1);
    }),
    { numRuns: LAYERS, endOnFailure: true },
  );
  const kernels = [...seen.keys()].join();
  for (const kind of ['gemm', 'depthwise', 'winograd', 'pack', 'relaxed', 'averagepool', 'maxpool'])
    assert.ok(kernels.includes(kind), `no ${kind} among ${kernels}`);
});

test.run();
