/** Modules of several entries: one per shape of the inputs, weights shared, the loader picks. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import type { CompileOptions } from '../../src/options.js';
import { createLoader, type Net } from '../../src/runtime/loader.js';
import { entries } from '../../src/runtime/parts/entries.js';
import { paddleModel } from '../support/paddle.js';
import { quantizedNet } from '../support/paddle-nets.js';
import { random } from '../support/tensors.js';

const MODEL = paddleModel(quantizedNet('qat'));
const SHAPES = [
  [1, 3, 9, 9],
  [1, 3, 12, 7],
  [2, 3, 20, 20],
] as const;

type Shaped = { readonly data: Float32Array; readonly shape: readonly number[] };

const compileShapes = (shapes: readonly (readonly number[])[], options: CompileOptions = {}) => {
  const [first, ...more] = shapes.map((x) => ({ x }));
  return compile(MODEL, { file: 'm.pdmodel', inputShapes: first ?? {}, moreShapes: more, ...options });
};

const load = ({ wasm }: Awaited<ReturnType<typeof compile>>) =>
  createLoader('m', () => wasm as never, [entries]).loadSync(wasm as never) as unknown as Net & {
    readonly entries: readonly Net[];
    run(inputs: { readonly x: Shaped | Float32Array }): Record<string, Float32Array>;
  };

const dataFor = (shape: readonly number[], seed = 1): Float32Array => {
  const next = random(seed);
  return Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => next() * 4 - 2);
};

test('every entry computes what a module of its shape alone computes, in any order', async () => {
  const together = await compileShapes(SHAPES);
  const net = load(together);
  const alone = await Promise.all(SHAPES.map(async (shape) => load(await compileShapes([shape]))));
  for (const i of [0, 2, 1, 1, 0]) {
    const shape = SHAPES[i] as readonly number[];
    const data = dataFor(shape, i + 1);
    const wanted = alone[i]?.run({ x: data }).y as Float32Array;
    assert.equal(net.run({ x: { data, shape } }).y, wanted, `shape ${shape}`);
    assert.equal(net.run({ x: data }).y, wanted, `${data.length} elements`);
  }
  const data = dataFor([1, 3, 12, 7], 7);
  (net.entries[1] as Net).input('x').set(data as never);
  (net.entries[1] as Net).runInPlace();
  assert.equal((net.entries[1] as Net).output('y'), alone[1]?.run({ x: data }).y);
});

test('weights are there once, and memory is that of the largest entry', async () => {
  const [one, two] = [await compileShapes([SHAPES[2]]), await compileShapes([SHAPES[2], SHAPES[1]])];
  assert.equal(
    two.report.entries.map((e) => [e.export, e.inputs[0]?.shape]),
    [
      ['run', SHAPES[2]],
      ['run_1', SHAPES[1]],
    ],
  );
  assert.ok(two.report.memory.weights < 1.5 * one.report.memory.weights, `${two.report.memory.weights}`);
  const borders = 4 * (3 * 12 * 7 + 5) + 256;
  assert.ok(two.report.memory.activations <= one.report.memory.activations + borders);
});

test('a longer first dimension is several items; other shapes are refused', async () => {
  const net = load(await compileShapes(SHAPES.slice(0, 2)));
  const items = [1, 2, 3].map((seed) => dataFor(SHAPES[1], seed));
  const all = Float32Array.from(items.flatMap((item) => Array.from(item)));
  const wanted = items.flatMap((x) => Array.from(net.run({ x }).y as Float32Array));
  assert.equal(Array.from(net.run({ x: { data: all, shape: [3, 3, 12, 7] } }).y as Float32Array), wanted);
  assert.throws(
    () => net.run({ x: { data: all, shape: [3, 3, 7, 12] } }),
    /no entry has inputs of this shape; there are "x" \[1, 3, 9, 9\]; "x" \[1, 3, 12, 7\]/,
  );
  assert.throws(() => net.run({ x: { data: all, shape: [1, 3, 12, 7] } }), /was given 756 elements for the shape/);
  assert.throws(() => net.run({} as never), /input "x"/);
  assert.throws(() => net.run({ z: all } as never), /no input "z"/);
});

test('the package has the loader part and the types; profiles go with one shape', async () => {
  const { loader, declarations } = await compileShapes(SHAPES.slice(0, 2));
  assert.match(loader, /no entry has inputs of this shape/);
  assert.match(declarations, /run\(inputs: ShapedInputs\): Outputs;/);
  const one = await compileShapes(SHAPES.slice(0, 1));
  assert.not.match(one.loader, /no entry has inputs/);
  let message = '';
  await compileShapes(SHAPES, { profile: true }).catch((error) => {
    message = String(error);
  });
  assert.match(message, /go with one shape of the inputs/);
});

test.run();
