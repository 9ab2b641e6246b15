/** Modules with several entries, and modules that take pictures, in the commands that run them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { npyFromTensor } from '../../src/data/npy.js';
import { f32 } from '../../src/ir/tensor.js';
import { model } from '../support/onnx.js';
import { each, qc } from './qc.js';

let folder = '';
const FAST = ['--rounds', '1', '--seconds', '0.02', '--cold-starts', '1', '--peers', 'none'];
/** The second and the third have equally many elements. */
const SHAPES = ['1x3x8x8', '1x3x4x6', '1x3x6x4'];
const FLAGS = SHAPES.flatMap((shape) => ['--input-shape', `image=${shape}`]);

/** Tells the mean of each channel of a picture of any size, and of its upper row. */
const MEAN = model({
  inputs: { image: [1, 3, 'h', 'w'] },
  outputs: { means: [1, 6] },
  initializers: {
    zero: { shape: [1], dtype: 'i64', data: [0] },
    one: { shape: [1], dtype: 'i64', data: [1] },
    two: { shape: [1], dtype: 'i64', data: [2] },
  },
  nodes: [
    { op: 'Slice', inputs: ['image', 'zero', 'one', 'two'], outputs: ['row'] },
    { op: 'GlobalAveragePool', inputs: ['image'], outputs: ['all'] },
    { op: 'GlobalAveragePool', inputs: ['row'], outputs: ['upper'] },
    { op: 'Concat', inputs: ['all', 'upper'], outputs: ['both'], attrs: { axis: 1 } },
    { op: 'Flatten', inputs: ['both'], outputs: ['means'] },
  ],
});

/** Samples whose upper row is 1, all else 0. */
const rows = (height: number, width: number, count: number): Uint8Array =>
  npyFromTensor(
    f32(
      [count, 3, height, width],
      Array.from({ length: count * 3 * height * width }, (_, i) => (i % (height * width) < width ? 1 : 0)),
    ),
  );

interface Report {
  readonly entry?: { readonly index: number; readonly of: number; readonly shapes: string };
  readonly columns: readonly { readonly name: string; readonly metric: Record<string, number>; agreement?: number }[];
  readonly samples: number;
}

const evaluate = async (...args: string[]): Promise<Report> => {
  const { code, out, err } = await qc(['eval', ...args, '--metric', 'means.mjs', '--json'], folder);
  assert.is(code, 0, err);
  return JSON.parse(out) as Report;
};

test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'qc-entries-'));
  const put = (name: string, data: Uint8Array | string): void => writeFileSync(join(folder, name), data);
  put('mean.onnx', MEAN);
  for (const [height, width] of [
    [8, 8],
    [4, 6],
    [6, 4],
    [5, 5],
  ] as const)
    put(`${height}x${width}.npy`, rows(height, width, 3));
  put('one.npy', rows(6, 4, 1));
  put(
    'means.mjs',
    `export default {
      score: ({ outputs }) => [...outputs.means.data],
      summarize: (scores) => Object.fromEntries(scores[0].map((_, i) => ['mean' + i, scores.reduce((n, s) => n + s[i], 0) / scores.length])),
    };`,
  );
  mkdirSync(join(folder, 'pictures'));
  for (const [i, size] of [8, 16, 24].entries()) {
    const image = new PNG({ width: size, height: size / 2 });
    for (let p = 0; p < (size * size) / 2; p++) image.data.set([51, 102, 204, 255], 4 * p);
    put(`pictures/${i}.png`, PNG.sync.write(image));
  }
  put('pictures/val_list.txt', '0.png 0\n1.png 1\n2.png 2\n');
  const builds = [
    ['many', ...FLAGS],
    ['one', '--input-shape', 'image=1x3x4x6'],
    ['pixels', '--input-shape', 'image=1x3x8x8', '--image-input', 'image,mean=0,std=1,largest=24x10'],
    ['exact', '--input-shape', 'image=1x3x4x8', '--image-input', 'image,resize=none'],
  ];
  await each(builds, async ([out, ...flags]) => {
    const { code, err } = await qc(['compile', 'mean.onnx', '-o', out as string, ...flags], folder);
    assert.is(code, 0, err);
  });
});
test.after(() => rmSync(folder, { recursive: true }));

test('eval takes the entry that the data fits, in every column, and says which', async () => {
  const cases = [
    ['8x8', 0],
    ['4x6', 1],
    ['6x4', 2],
  ] as const;
  await each(cases, async ([size, index]) => {
    const { entry, columns } = await evaluate('many/mean.wasm', '--data', `${size}.npy`, '--num-threads', '2');
    assert.equal(entry, { index, of: 3, shapes: `"image" [1, 3, ${size.replace('x', ', ')}]` });
    const { mean0 = 0, mean3 } = columns[0]?.metric ?? {};
    assert.ok(Math.abs(mean0 - 1 / Number(size[0])) < 1e-6, `${size}: ${mean0}`);
    assert.is(mean3, 1, 'the upper row is where the shape has it');
  });
  const both = await evaluate('mean.onnx', ...FLAGS, '--data', '4x6.npy', '--against', 'one/mean.wasm');
  assert.is(both.entry?.index, 1);
  assert.equal(both.columns[1]?.metric, both.columns[0]?.metric);
});

test('eval: an entry can be asked for; what does not fit is explained', async () => {
  for (const asked of ['1', '1x3x4x6'])
    assert.is((await evaluate('many/mean.wasm', '--fake-data', '--entry', asked)).entry?.index, 1);
  assert.is((await evaluate('many/mean.wasm', '--fake-data')).entry?.index, 0);
  assert.is((await evaluate('one/mean.wasm', '--fake-data')).entry, undefined, 'where there is only one');
  const cases: [string, number, RegExp][] = [
    ['--data 5x5.npy', 3, /5x5.npy: the data fits no entry.*\n.*0: "image" \[1, 3, 8, 8\]; 1: /],
    ['--data 6x4.npy --entry 1', 3, /6x4.npy: holds f32 \[3, 3, 6, 4\], but input "image" takes f32 \[1, 3, 4, 6\]/],
    ['--data 6x4.npy --entry 3', 2, /--entry 3 is none of the entries\n.*2: "image" \[1, 3, 6, 4\]/],
    [
      '--data 6x4.npy --against one/mean.wasm',
      2,
      /one\/mean.wasm: mean.wasm 2 does not take what the first column takes: "image" \[1, 3, 6, 4\]\n.*It takes/,
    ],
  ];
  await each(cases, async ([args, code, message]) => {
    const { code: given, err } = await qc(['eval', 'many/mean.wasm', ...args.split(' ')], folder);
    assert.is(given, code, `${args}: ${err}`);
    assert.match(err, message);
  });
});

test('bench measures the entry that is asked for or that the input fits, and its layers', async () => {
  const cases: [string[], RegExp][] = [
    [['many/mean.wasm'], /many\/mean.wasm has several entries: measured is 0 \(of 3\): "image" \[1, 3, 8, 8\]/],
    [['many/mean.wasm', '--entry', '1x3x6x4'], /measured is 2 \(of 3\)/],
    [['many/mean.wasm', '--input', 'one.npy'], /measured is 2 \(of 3\)/],
    [['mean.onnx', ...FLAGS, '--entry', '1', '--layers'], /mean.onnx has several entries: measured is 1 \(of 3\)/],
  ];
  await each(
    cases,
    async ([args, note]) => {
      const { code, out, err } = await qc(['bench', ...args, ...FAST], folder);
      assert.is(code, 0, err);
      assert.match(err, note);
      if (args.includes('--layers')) assert.match(out, /the layers add up to/);
    },
    2,
  );
  const wrong = await qc(['bench', 'many/mean.wasm', '--entry', '9', ...FAST], folder);
  assert.is(wrong.code, 2);
  assert.match(wrong.err, /--entry 9 is none of the entries/);
});

test('run says which entry ran, and takes the one that is asked for', async () => {
  const run = async (...args: string[]) => qc(['run', 'many/mean.wasm', '-o', 'out', ...args], folder);
  assert.match((await run('-i', 'one.npy')).err, /ran 1 item in .*\n {2}entry 2 \(of 3\): "image" \[1, 3, 6, 4\]\n/);
  assert.match((await run('--self-test')).err, /passed self-test.*\n {2}entry 0 \(of 3\)/);
  const other = await run('-i', 'one.npy', '--entry', '0');
  assert.is(other.code, 3);
  assert.match(other.err, /one.npy: holds/);
});

test('a module that takes pictures is evaluated on pictures as they are', async () => {
  const report = await evaluate('pixels/mean.wasm', '--data', 'pictures', '--samples', '2', '--decoder', 'js');
  const { mean0, mean1, mean5 } = report.columns[0]?.metric ?? {};
  for (const [mean, byte] of [
    [mean0, 51],
    [mean1, 102],
    [mean5, 204],
  ] as const)
    assert.ok(Math.abs((mean ?? 0) - byte / 255) < 1e-3, `${mean} of ${byte}`);
  const made = await qc(
    ['preprocess', '--data-dir', 'pictures', '-o', 'p.bin', '--data-dim', '8', '--dtype', 'u8', '--decoder', 'js'],
    folder,
  );
  assert.is(made.code, 0, made.err);
  assert.is((await evaluate('pixels/mean.wasm', '--data', 'p.bin')).samples, 3);
  assert.is((await evaluate('pixels/mean.wasm', '--fake-data', '--iterations', '1')).samples, 50);
  const bench = await qc(['bench', 'pixels/mean.wasm', ...FAST], folder);
  assert.match(bench.err, /takes pictures: measured with the largest, 24x10, resizing included/);
});

test('pictures that a module does not take, and data that are none, are explained', async () => {
  const cases: [string, number, RegExp][] = [
    ['pixels/mean.wasm --data pictures', 3, /2.png: a picture of 24x12 has more pixels than the 24x10 .*largest=/],
    ['exact/mean.wasm --data pictures', 3, /1.png: input "image" takes pictures of 8x4 only, not 16x8/],
    ['pixels/mean.wasm --data pictures --mean 0.5', 2, /--mean says how pictures become tensors, but the module does/],
    ['pixels/mean.wasm --data 8x8.npy', 2, /takes pictures \(--image-input\), not arrays/],
    ['pixels/mean.wasm --data pictures --against one/mean.wasm', 2, /does not take what the first column takes/],
  ];
  await each(cases, async ([args, code, message]) => {
    const { code: given, err } = await qc(['eval', ...args.split(' '), '--decoder', 'js'], folder);
    assert.is(given, code, `${args}: ${err}`);
    assert.match(err, message);
  });
  const counted = await evaluate('pixels/mean.wasm', '--data', 'pictures', '--skip-bad', '--decoder', 'js');
  assert.is(counted.samples, 2);
});

test.run();
