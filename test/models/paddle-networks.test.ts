/** Blocks of networks that Paddle users bring, quantized as training exports them: an ERNIE-style encoder, SE-ResNeXt, PP-LCNet. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import type { CompileOptions } from '../../src/options.js';
import { createLoader } from '../../src/runtime/loader.js';
import { type AttrInput, type Data, floats, type ModelInput, type OpInput, paddleModel } from '../support/paddle.js';
import { random } from '../support/tensors.js';

/** Writes a program op by op; products get fake quantization with the thresholds that their operands have. */
class Net {
  readonly ops: OpInput[] = [];
  readonly parameters: Record<string, Data> = {};
  private readonly next = random(5);
  private count = 0;

  private name(type: string): string {
    return `${type}_${this.count++}`;
  }

  parameter(shape: readonly number[], scale: number, offset = 0): string {
    const name = this.name('w');
    const n = shape.reduce((a, b) => a * b, 1);
    this.parameters[name] = floats(
      shape,
      Float32Array.from({ length: n }, () => offset + (this.next() * 2 - 1) * scale),
    );
    return name;
  }

  op(type: string, inputs: OpInput['inputs'], attrs: Readonly<Record<string, AttrInput>> = {}, slot = 'Out'): string {
    const out = this.name(type);
    this.ops.push({ type, inputs, outputs: { [slot]: out }, attrs });
    return out;
  }

  private fake(x: string, threshold: number): string {
    const scale = this.name('scale');
    this.parameters[scale] = floats([1], [threshold]);
    return this.op('fake_quantize_dequantize_moving_average_abs_max', { X: x, InScale: scale }, { is_test: true });
  }

  private fakeWeights(shape: readonly number[], size: number, axis: number): string {
    const w = this.parameter(shape, size);
    return this.op('fake_channel_wise_quantize_dequantize_abs_max', { X: w }, { quant_axis: axis });
  }

  conv(x: string, shape: readonly number[], attrs: Readonly<Record<string, AttrInput>> = {}, threshold = 4): string {
    const fan = (shape[1] as number) * (shape[2] as number) * (shape[3] as number);
    const w = this.fakeWeights(shape, 1.7 / Math.sqrt(fan), 0);
    const type = attrs.groups === shape[0] ? 'depthwise_conv2d' : 'conv2d';
    return this.op(type, { Input: this.fake(x, threshold), Filter: w }, attrs, 'Output');
  }

  norm(x: string, channels: number): string {
    const of = (scale: number, offset: number): string => this.parameter([channels], scale, offset);
    const inputs = { X: x, Scale: of(0.4, 1), Bias: of(0.3, 0), Mean: of(0.2, 0), Variance: of(0.3, 1) };
    return this.op('batch_norm', inputs, { epsilon: { float: 1e-5 }, is_test: true }, 'Y');
  }

  /** A matrix product over the last dimension with a bias. */
  dense(x: string, k: number, n: number, columns: number, threshold: number): string {
    const w = this.fakeWeights([k, n], 1.7 / Math.sqrt(k), 1);
    const attrs = { x_num_col_dims: columns, y_num_col_dims: 1 };
    const y = this.op('mul', { X: this.fake(x, threshold), Y: w }, attrs);
    return this.op('elementwise_add', { X: y, Y: this.parameter([n], 0.2) }, { axis: columns });
  }

  /** A squeeze-and-excitation gate on an image. */
  gate(x: string, channels: number, inner: number, activation: string): string {
    const pool = this.op('pool2d', { X: x }, { pooling_type: 'avg', ksize: [1, 1], adaptive: true });
    const bias = (y: string, n: number): string =>
      this.op('elementwise_add', { X: y, Y: this.parameter([n], 0.2) }, { axis: 1 });
    const squeezed = this.op('relu', { X: bias(this.conv(pool, [inner, channels, 1, 1], {}, 2), inner) });
    const gate = this.op(activation, { X: bias(this.conv(squeezed, [channels, inner, 1, 1], {}, 2), channels) });
    return this.op('elementwise_mul', { X: x, Y: gate }, { axis: -1 });
  }
}

async function run(
  model: ModelInput,
  feeds: Readonly<Record<string, Float32Array | BigInt64Array>>,
  options: CompileOptions = {},
) {
  const { wasm, report } = await compile(paddleModel(model), { file: 'm.pdmodel', ...options });
  const net = createLoader('m', () => wasm as never).loadSync(wasm as never);
  return { ops: report.ops, y: Object.values(net.run(feeds as never))[0] as Float32Array };
}

/** Every product is int8, and the results are those of fake-quantized floats but for codes at ties. */
async function check(model: ModelInput, feeds: Parameters<typeof run>[1], products: number): Promise<void> {
  const int8 = await run(model, feeds);
  const list = int8.ops.filter((op) => /conv2d$|^fc$|^mul$/.test(op.type));
  assert.is(list.length, products);
  assert.equal(
    list.filter((op) => !op.int8).map((op) => op.reason),
    [],
  );
  const float = await run(model, feeds, { precision: 'fake-quantized' });
  const most = float.y.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  const error = Math.sqrt(float.y.reduce((s, v, i) => s + (v - (int8.y[i] as number)) ** 2, 0) / float.y.length);
  assert.ok(most > 0.1 && error <= 0.005 * most, `${error} of ${most}`);
}

const image = (shape: readonly number[]): Float32Array => {
  const next = random(8);
  return Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => next() * 4 - 2);
};

test('an ERNIE-style encoder layer: embeddings, attention, gelu, layer norms', async () => {
  const [tokens, width, heads] = [6, 16, 2];
  const net = new Net();
  const layerNorm = (x: string): string =>
    net.op(
      'layer_norm',
      { X: x, Scale: net.parameter([width], 0.2, 1), Bias: net.parameter([width], 0.1) },
      { begin_norm_axis: 2, epsilon: { float: 1e-5 } },
      'Y',
    );
  const look = (ids: string, rows: number): string =>
    net.op('lookup_table_v2', { W: net.parameter([rows, width], 1), Ids: ids });
  const sum = net.op('elementwise_add', { X: look('ids', 30), Y: look('places', 8) });
  const x = layerNorm(sum);
  const split = (y: string): string => {
    const shaped = net.op('reshape2', { X: y }, { shape: [0, 0, heads, width / heads] });
    return net.op('transpose2', { X: shaped }, { axis: [0, 2, 1, 3] });
  };
  const [q, k, v] = [0, 1, 2].map(() => split(net.dense(x, width, width, 2, 3))) as [string, string, string];
  const scores = net.op(
    'matmul',
    { X: q, Y: k },
    { transpose_Y: true, alpha: { float: 1 / Math.sqrt(width / heads) } },
  );
  const weights = net.op('softmax', { X: net.op('elementwise_add', { X: scores, Y: 'mask' }) }, { axis: -1 });
  const context = net.op('transpose2', { X: net.op('matmul', { X: weights, Y: v }) }, { axis: [0, 2, 1, 3] });
  const joined = net.op('reshape2', { X: context }, { shape: [0, 0, width] });
  const attended = layerNorm(net.op('elementwise_add', { X: x, Y: net.dense(joined, width, width, 2, 2) }));
  const inner = net.op('gelu', { X: net.dense(attended, width, 4 * width, 2, 3) });
  const y = layerNorm(net.op('elementwise_add', { X: attended, Y: net.dense(inner, 4 * width, width, 2, 3) }));
  const first = net.op('slice', { Input: y }, { axes: [1], starts: [0], ends: [1], decrease_axis: [1] });
  const pooled = net.op('tanh', { X: net.dense(first, width, width, 1, 3) });
  const ids = { shape: [-1, tokens], dtype: 'i64' as const };
  const inputs = { ids, places: ids, mask: { shape: [-1, 1, 1, tokens] } };
  const model = { inputs, parameters: net.parameters, ops: net.ops, outputs: [pooled] };
  const feeds = {
    ids: BigInt64Array.from([1n, 5n, 29n, 7n, 0n, 0n]),
    places: BigInt64Array.from([0n, 1n, 2n, 3n, 4n, 5n]),
    mask: Float32Array.from([0, 0, 0, 0, -10000, -10000]),
  };
  await check(model, feeds, 7);
});

test('a block of SE-ResNeXt: a convolution in groups, a sigmoid gate, a residual', async () => {
  const net = new Net();
  const relu = (x: string): string => net.op('relu', { X: x });
  const a = relu(net.norm(net.conv('x', [16, 16, 1, 1]), 16));
  const b = relu(net.norm(net.conv(a, [16, 4, 3, 3], { groups: 4, paddings: [1, 1], strides: [1, 1] }), 16));
  const c = net.norm(net.conv(b, [16, 16, 1, 1]), 16);
  const y = relu(net.op('elementwise_add', { X: net.gate(c, 16, 4, 'sigmoid'), Y: 'x' }));
  const last = net.conv(y, [8, 16, 1, 1]);
  const shape = [1, 16, 12, 12];
  const model = { inputs: { x: { shape } }, parameters: net.parameters, ops: net.ops, outputs: [last] };
  await check(model, { x: image(shape) }, 6);
});

test('blocks of PP-LCNet: depthwise, hard_swish, a gate, global pool, dropout, classes', async () => {
  const net = new Net();
  const swish = (x: string): string => net.op('hard_swish', { X: x });
  const stem = swish(net.norm(net.conv('x', [8, 3, 3, 3], { strides: [2, 2], paddings: [1, 1] }), 8));
  const dw = swish(net.norm(net.conv(stem, [8, 1, 5, 5], { groups: 8, paddings: [2, 2] }), 8));
  const gated = net.gate(dw, 8, 2, 'hard_sigmoid');
  const pw = swish(net.norm(net.conv(gated, [16, 8, 1, 1]), 16));
  const pool = net.op('pool2d', { X: pw }, { pooling_type: 'avg', ksize: [1, 1], global_pooling: true });
  const wide = swish(net.conv(pool, [32, 16, 1, 1]));
  const kept = net.op(
    'dropout',
    { X: wide },
    { dropout_prob: { float: 0.2 }, dropout_implementation: 'upscale_in_train' },
  );
  const flat = net.op('flatten_contiguous_range', { X: kept }, { start_axis: 1, stop_axis: 3 });
  const y = net.op('softmax', { X: net.dense(flat, 32, 10, 1, 2) }, { axis: -1 });
  const shape = [1, 3, 16, 16];
  const model = { inputs: { x: { shape } }, parameters: net.parameters, ops: net.ops, outputs: [y] };
  await check(model, { x: image(shape) }, 7);
});

test('a block of GoogLeNet: four branches, a max pool in one, joined for the next convolution', async () => {
  const net = new Net();
  const branch = (x: string, m: number, c: number, k = 1): string =>
    net.op('relu', { X: net.norm(net.conv(x, [m, c, k, k], { paddings: [(k - 1) / 2, (k - 1) / 2] }), m) });
  const pool = net.op('pool2d', { X: 'x' }, { pooling_type: 'max', ksize: [3, 3], strides: [1, 1], paddings: [1, 1] });
  const branches = [
    branch('x', 8, 12),
    branch(branch('x', 6, 12), 8, 6, 3),
    branch(branch('x', 4, 12), 8, 4, 5),
    branch(pool, 8, 12),
  ];
  const joined = net.op('concat', { X: branches }, { axis: 1 });
  const shape = [1, 12, 10, 10];
  const last = net.conv(
    net.op('pool2d', { X: joined }, { pooling_type: 'max', ksize: [2, 2], strides: [2, 2] }),
    [8, 32, 1, 1],
  );
  const model = { inputs: { x: { shape } }, parameters: net.parameters, ops: net.ops, outputs: [last] };
  await check(model, { x: image(shape) }, 7);
});

test.run();
