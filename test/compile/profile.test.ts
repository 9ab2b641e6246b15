/** Profile builds: the steps are the run, and say what they do. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import type { CompileOptions } from '../../src/options.js';
import type { StepInfo } from '../../src/runtime/abi.js';
import { createLoader, type Loader, type Net } from '../../src/runtime/loader.js';
import type { Profile } from '../../src/runtime/net.js';
import { profile } from '../../src/runtime/parts/profile.js';
import { hasModels, modelBytes } from '../support/models.js';
import { type Grid, Network, random } from '../support/network.js';

const U8: Grid = { dtype: 'u8', scale: 0.02, zeroPoint: 117 };

/** Convolution with relu, depthwise convolution, residual add, pool, dense layer, product of activations, softmax. */
function network(): Uint8Array {
  const net = new Network(3);
  const fake = (op: string, inputs: string[], attrs = {}): string => net.fake(net.op(op, inputs, attrs), U8);
  const x = net.fake(net.input('x', [1, 3, 10, 12]), U8);
  const first = fake('Relu', [net.op('Conv', [x, net.weights([8, 3, 3, 3])], { pads: [1, 1, 1, 1] })]);
  const second = fake('Conv', [first, net.weights([8, 1, 3, 3])], { pads: [1, 1, 1, 1], group: 8 });
  const sum = fake('Add', [first, second]);
  const pooled = fake('GlobalAveragePool', [sum]);
  const flat = net.op('Flatten', [pooled]);
  const dense = net.op('MatMul', [flat, net.weights([8, 6])]);
  const columns = net.op('Reshape', [dense, net.ints([2, 3, 1])]);
  const product = net.op('MatMul', [columns, net.op('Transpose', [columns], { perm: [0, 2, 1] })]);
  return net.bytes([net.op('Softmax', [product])]);
}

const MODEL = network();

async function open(options: CompileOptions = {}): Promise<{ net: Net; steps: readonly StepInfo[] }> {
  const { wasm } = await compile(MODEL, { ...options, profile: true });
  const net = createLoader('test', () => '', [profile]).loadSync(wasm as Uint8Array<ArrayBuffer>);
  return { net, steps: net.steps as readonly StepInfo[] };
}

function fill(net: Net, seed: number): void {
  const next = random(seed);
  for (const { name } of net.inputs) net.input(name).set(Array.from({ length: net.input(name).length }, next) as never);
}

test('all steps in order are a run', async () => {
  for (const options of [{}, { target: 'relaxed' }, { precision: 'fp32' }] as const) {
    const { net, steps } = await open(options);
    const [name] = net.outputs.map((o) => o.name) as [string];
    const outputs = [1, 2].map((seed) => {
      fill(net, seed);
      net.runInPlace();
      const whole = net.output(name).slice();
      net.output(name).fill(9 as never);
      fill(net, seed);
      for (const i of steps.keys()) net.step?.(i);
      assert.equal(net.output(name), whole);
      return whole;
    });
    assert.not.equal(outputs[0], outputs[1]);
  }
});

test('a step can be repeated, and each is needed', async () => {
  const { net, steps } = await open();
  const output = net.output(net.outputs[0]!.name);
  const result = (times: (i: number) => number): string => {
    output.fill(9 as never);
    fill(net, 1);
    for (const i of steps.keys()) for (let k = 0; k < times(i); k++) net.step?.(i);
    return output.join();
  };
  const expected = result(() => 1);
  assert.is(
    result((i) => (steps[i]?.inPlace ? 1 : 3)),
    expected,
  );
  fill(net, 2);
  for (const i of steps.keys()) net.step?.(i); // leaves other values in the memory
  assert.ok(steps.every((_, skipped) => result((i) => (i === skipped ? 0 : 1)) !== expected || skipped > 0));
  assert.is.not(
    result((i) => (i === steps.length - 1 ? 0 : 1)),
    expected,
  );
});

test('a step whose result lies over its operand says so', async () => {
  const net = new Network(5);
  const x = net.fake(net.input('x', [1, 16, 8, 8]), U8);
  const conv = (from: string): string =>
    net.fake(net.op('Conv', [from, net.weights([16, 16, 3, 3], { scale: 0.002 })], { pads: [1, 1, 1, 1] }), U8);
  const { wasm } = await compile(net.bytes([conv(conv(conv(conv(x))))]), { profile: true });
  const loaded = createLoader('test', () => '', [profile]).loadSync(wasm as Uint8Array<ArrayBuffer>);
  const steps = loaded.steps as readonly StepInfo[];
  const result = (times: (i: number) => number): string => {
    fill(loaded, 1);
    for (const i of steps.keys()) for (let k = 0; k < times(i); k++) loaded.step?.(i);
    return loaded.output(loaded.outputs[0]!.name).join();
  };
  const expected = result(() => 1);
  assert.is(
    result((i) => (steps[i]?.inPlace ? 1 : 3)),
    expected,
  );
  const moved = steps.filter((_, i) => result((k) => (k === i ? 3 : 1)) !== expected);
  assert.ok(moved.length > 0 && moved.every((s) => s.inPlace), 'Winograd in one block writes over what it has read');
});

test('steps name their ops, kernels, products and bytes', async () => {
  const { steps } = await open();
  const find = (type: string): StepInfo => steps.find((s) => s.type === type) as StepInfo;
  const [conv, depthwise] = [find('conv2d'), find('depthwise_conv2d')];
  assert.is(conv.ops.length, 2, 'the convolution and its relu');
  assert.is(conv.macs, 8 * 10 * 12 * 27);
  assert.is(depthwise.macs, 8 * 10 * 12 * 9);
  assert.is(find('mul').macs, 8 * 6);
  assert.is(find('matmul').macs, 2 * 3 * 3);
  assert.is(find('softmax').macs, 0);
  assert.ok(conv.kernels.some((name) => name.includes('gemm')));
  assert.is(find('softmax').bytes, 2 * 4 * 18);
  const activations = 2 * (3 + 8) * 120;
  assert.ok(conv.bytes > activations + 8 * 27 && conv.bytes < activations + 2000, `${conv.bytes} bytes`);
});

test('every node with a kernel is one step, and only profile builds have steps', async () => {
  const { report } = await compile(MODEL, { profile: true });
  const plain = await compile(MODEL);
  const steps = report.entries[0]?.profile?.steps as StepInfo[];
  const withKernels = plain.report.ops.filter((op) => op.kernel).map((op) => op.id);
  assert.equal(
    steps.flatMap((s) => s.ops.slice(0, 1)),
    withKernels,
  );
  assert.is(plain.report.entries[0]?.profile, undefined);
  assert.is.not(plain.report.hashes.options, report.hashes.options);
  assert.not.match(plain.loader, /profile\b.*=>/);
  const names = WebAssembly.Module.exports(new WebAssembly.Module(plain.wasm as Uint8Array<ArrayBuffer>));
  assert.equal(names.map((e) => e.name).sort(), ['init', 'memory', 'run']);
});

test('the emitted loader of a profile build times the steps', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'qc-profile-'));
  try {
    const { files } = await compile(MODEL, { profile: true, name: 'timed' });
    for (const { name, data } of files) writeFileSync(join(folder, name), data);
    const { load } = (await import(pathToFileURL(join(folder, 'timed.mjs')).href)) as Loader;
    const net = await load();
    const { steps, sum, run } = net.profile?.({ rounds: 3 }) as Profile;
    assert.is(steps.length, net.steps?.length);
    assert.throws(() => net.step?.(steps.length), /timed: there is no step 8; the steps are 0 to 7/);
    assert.ok(run > 0 && Math.abs(sum - steps.reduce((n, s) => n + s.milliseconds, 0)) < 1e-9);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('products of a whole network are those of its layers', async () => {
  if (!hasModels('mobilenet_v2_qat_u8')) return;
  const { report } = await compile(modelBytes('mobilenet_v2_qat_u8'), { profile: true });
  const steps = report.entries[0]?.profile?.steps as StepInfo[];
  // MobileNet-V2 1.0 at 224 pixels: 300 million in the paper (Sandler et al., 2018), with 1000 classes.
  assert.is(Math.round(steps.reduce((n, s) => n + s.macs, 0) / 1e6), 301);
});

test.run();
