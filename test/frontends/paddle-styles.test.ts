/** One network in every style of fake quantization: all are int8, and give what a float evaluation of the style gives. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import type { CompileOptions } from '../../src/options.js';
import { createLoader } from '../../src/runtime/loader.js';
import { type ModelInput, paddleModel } from '../support/paddle.js';
import { floatNet, netInput, quantizedNet, type Style } from '../support/paddle-nets.js';

async function run(net: ModelInput, options: CompileOptions = {}) {
  const { wasm, report, notes } = await compile(paddleModel(net), { file: 'm.pdmodel', ...options });
  const loaded = createLoader('m', () => wasm as never).loadSync(wasm as never);
  const outputs = [9, 10, 11].map((seed) => loaded.run({ x: netInput(seed) }).y as Float32Array);
  return { report, notes, outputs };
}

const int8Ops = ({ report }: Awaited<ReturnType<typeof run>>): string[] =>
  report.ops.filter((op) => op.int8 && /conv2d|^fc$|^mul$/.test(op.type)).map((op) => op.type);

const close = (a: readonly Float32Array[], b: readonly Float32Array[], tolerance: number, what: string): void =>
  a.forEach((list, i) => {
    list.forEach((v, k) => {
      assert.ok(Math.abs(v - (b[i]?.[k] as number)) <= tolerance, `${what}, run ${i}, ${k}: ${v} for ${b[i]?.[k]}`);
    });
  });

const STYLES: readonly Style[] = ['qat', 'training', 'frozen-channels', 'onnx-format', 'onnx-format-float'];

for (const style of STYLES)
  test(`${style}: every product is int8 and the results are those of fake-quantized float`, async () => {
    const net = quantizedNet(style);
    const int8 = await run(net);
    assert.equal(int8Ops(int8), ['conv2d', 'depthwise_conv2d', 'fc']);
    const float = await run(net, { precision: 'fake-quantized' });
    assert.is(int8Ops(float).length, 0);
    // The last layer gives reals: equal up to float32 sums, unless a code at a tie fell the other way.
    close(int8.outputs, float.outputs, 2e-5, style);
  });

test('the styles that say the same give the same bytes', async () => {
  const [qat, ...others] = await Promise.all(STYLES.map((style) => run(quantizedNet(style))));
  for (const [i, other] of others.entries())
    close(other.outputs, qat?.outputs as Float32Array[], style(i), STYLES[i + 1] as string);
});

/** Thresholds that a program multiplies before it stores them lose an ulp. */
const style = (i: number): number => (STYLES[i + 1] === 'frozen-channels' ? 1e-6 : 0);

test('frozen models with one scale for all weights', async () => {
  const net = quantizedNet('frozen');
  const int8 = await run(net);
  assert.equal(int8Ops(int8), ['conv2d', 'depthwise_conv2d', 'fc']);
  close(int8.outputs, (await run(net, { precision: 'fake-quantized' })).outputs, 2e-5, 'frozen');
});

test('round_type 0 rounds ties to even and knows the code -128', async () => {
  const first = (roundType: number | null): ModelInput => {
    const net = quantizedNet('qat', roundType === null ? {} : { round_type: roundType });
    return { ...net, ops: net.ops.slice(0, 3), outputs: ['c1'] };
  };
  const run = async (net: ModelInput, options: CompileOptions = {}): Promise<Float32Array> => {
    const { wasm } = await compile(paddleModel(net), { file: 'm.pdmodel', ...options });
    const x = netInput().map((v) => v * 2);
    return createLoader('m', () => wasm as never)
      .loadSync(wasm as never)
      .run({ x }).c1 as Float32Array;
  };
  const [even, away, old] = await Promise.all([first(0), first(1), first(null)].map((net) => run(net)));
  close([away as Float32Array], [old as Float32Array], 0, 'round_type 1 is what files without it mean');
  assert.ok(
    (even as Float32Array).some((v, k) => v !== old?.[k]),
    'inputs below -threshold differ',
  );
  close([even as Float32Array], [await run(first(0), { precision: 'fake-quantized' })], 2e-5, 'even');
});

/** Every threshold as attributes of the float network, as Paddle 2.2 writes them. */
const attributes = {
  conv2d: { Input0_threshold: { float: 1.5 }, Output0_threshold: { float: 9 }, out_threshold: { float: 8 } },
  relu: { Out0_threshold: { float: 4.25 }, out_threshold: { float: 7 } },
  pool2d: { out_threshold: { float: 3.1 } },
} as const;

test('thresholds in attributes make scales, with their source, unless they are not wanted', async () => {
  const inferred = await run(floatNet(attributes));
  assert.equal(int8Ops(inferred), ['conv2d', 'depthwise_conv2d', 'fc']);
  const conv = inferred.report.ops.find((op) => op.type === 'conv2d');
  assert.match(conv?.scaleOf?.output ?? '', /^Out0_threshold of relu \(\d+\)$/);
  assert.match(conv?.outputs[0] ?? '', /s=0\.03346/);
  assert.is(conv?.scaleOf?.weights, 'the greatest weight of each channel');
  const float = await run(floatNet(attributes), { inferScales: false });
  assert.is(int8Ops(float).length, 0);
  close(inferred.outputs, float.outputs, 0.2, 'inferred scales');
  const plain = await run(floatNet(), { precision: 'fp32' });
  close(float.outputs, plain.outputs, 0, 'without');
});

test('fake quantization says more than attributes', async () => {
  const net = quantizedNet('qat');
  const marked = {
    ...net,
    ops: net.ops.map((op) => ({ ...op, attrs: { ...op.attrs, out_threshold: { float: 0.01 } } })),
  };
  const conv = (await run(marked)).report.ops.find((op) => op.type === 'conv2d');
  assert.match(conv?.scaleOf?.output ?? '', /^fake_quantize_dequantize_moving_average_abs_max \(\d+\)$/);
});

test('skip_quant keeps an op in float, as a boolean and as an integer', async () => {
  for (const flag of [true, 1]) {
    const net = quantizedNet('qat');
    const ops = net.ops.map((op) =>
      op.type === 'depthwise_conv2d' ? { ...op, attrs: { ...op.attrs, skip_quant: flag } } : op,
    );
    const result = await run({ ...net, ops });
    assert.equal(int8Ops(result), ['conv2d', 'fc']);
    const kept = result.report.ops.find((op) => op.type === 'depthwise_conv2d');
    assert.is(kept?.reason, 'skip_quant in the model');
    close(result.outputs, (await run(net)).outputs, 2e-5, 'skip_quant');
  }
});

test.run();
