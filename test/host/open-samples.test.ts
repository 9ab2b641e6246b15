import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { npyFromTensor } from '../../src/data/npy.js';
import type { BadSample, Sample, SampleSource } from '../../src/data/sample.js';
import { openSamples } from '../../src/host/open-samples.js';
import { f32, i64, type Tensor } from '../../src/ir/tensor.js';
import { zip } from '../support/zip.js';

let folder = '';
const path = (name: string): string => join(folder, name);
const inputs = [{ name: 'x', dtype: 'u8' as const, shape: [1, 3, 2, 2] }];
const arrays = [{ name: 'x', dtype: 'f32' as const, shape: [1, 2] }];

/** A file with one colour. */
function png(r: number, g: number, b: number): Uint8Array {
  const image = new PNG({ width: 2, height: 2 });
  image.data = Buffer.from([0, 1, 2, 3].flatMap(() => [r, g, b, 255]));
  return PNG.sync.write(image);
}
const gray = (v: number): Uint8Array =>
  jpeg.encode({ width: 2, height: 2, data: Buffer.alloc(16, v) }, 100).data as unknown as Uint8Array;

async function read(source: SampleSource, from?: number, to?: number): Promise<Sample[]> {
  const samples: Sample[] = [];
  for await (const sample of source.samples(from, to)) samples.push(sample);
  return samples;
}
const first = (s: Sample | undefined): number => Number(s?.tensors[0]?.tensor.data[0]);
const message = async (run: Promise<unknown>): Promise<string> =>
  run.then(
    () => 'no error',
    (e: Error & { where?: { file?: string; remedy?: string } }) => `${e.where?.file}: ${e.message}; ${e.where?.remedy}`,
  );

test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'qc-samples-'));
  mkdirSync(path('set/val'), { recursive: true });
  writeFileSync(path('set/val/a b.png'), png(10, 20, 30));
  writeFileSync(path('set/val/B.JPG'), gray(99));
  writeFileSync(path('set/val_list.txt'), '\uFEFFval/B.JPG 7\r\nval/a b.png 3\r\n');
  mkdirSync(path('bad/dir.jpg'), { recursive: true });
  writeFileSync(path('bad/cut.png'), png(1, 2, 3).subarray(0, 40));
  writeFileSync(path('bad/empty.jpg'), '');
  writeFileSync(path('bad/good.jpeg'), png(5, 6, 7));
  writeFileSync(path('bad/page.webp'), 'RIFF\0\0\0\0WEBPVP8 ');
  writeFileSync(path('bad/text.jpg'), 'hello');
  writeFileSync(path('rows.npy'), npyFromTensor(f32([3, 2], [1, 2, 3, 4, 5, 6])));
  const all = { x: f32([2, 2], [1, 2, 3, 4]), label: i64([2], [1, 0]), target: f32([2, 3], [1, 2, 3, 4, 5, 6]) };
  const named = (list: Record<string, Tensor>) =>
    Object.entries(list).map(([name, t]) => ({ name: `${name}.npy`, data: npyFromTensor(t) }));
  writeFileSync(path('all.npz'), zip(named(all), 8));
  writeFileSync(path('odd.npz'), zip(named({ ...all, label: i64([3], [1, 0, 2]) }), 0));
  for (const set of [0, 1]) {
    mkdirSync(path(`sets/test_data_set_${set}`), { recursive: true });
    writeFileSync(path(`sets/test_data_set_${set}/input_0.npy`), npyFromTensor(f32([1, 2], [set, 9])));
    writeFileSync(path(`sets/test_data_set_${set}/output_0.npy`), npyFromTensor(f32([1, 1], [set + 10])));
  }
  mkdirSync(path('nothing'));
});
test.after(() => rmSync(folder, { recursive: true }));

test('a folder of pictures in the order of its list, with labels', async () => {
  const source = await openSamples(path('set'), { inputs, decoder: 'js' });
  assert.is(source.length, 2);
  const samples = await read(source);
  assert.equal(
    samples.map((s) => [s.index, s.label]),
    [
      [0, 7],
      [1, 3],
    ],
  );
  assert.ok(Math.abs(first(samples[0]) - 99) <= 1);
  assert.equal(
    [...(samples[1]?.tensors[0]?.tensor.data ?? [])].map(Number),
    [10, 20, 30].flatMap((v) => [v, v, v, v]),
  );
  assert.is(source.label?.(0), 7);
  assert.match(source.description, /jpeg-js/);
  assert.equal(
    (await read(source, 1, 2)).map((s) => s.index),
    [1],
  );
  const listed = await openSamples(path('set/val_list.txt'), { inputs, decoder: 'js' });
  assert.equal(
    (await read(listed)).map((s) => s.label),
    [7, 3],
  );
});

test('pictures that cannot be read are named, or left out and counted', async () => {
  assert.match(
    await message(openSamples(path('bad'), { inputs, decoder: 'js' }).then((s) => read(s))),
    /cut\.png: .*; --skip-bad/,
  );
  const bad: BadSample[] = [];
  const source = await openSamples(path('bad'), { inputs, decoder: 'js', skipBad: true, onBad: (b) => bad.push(b) });
  assert.equal(
    (await read(source)).map((s) => s.name),
    ['good.jpeg'],
  );
  const reasons = bad.map((b) => `${b.name.slice(path('bad/').length)}: ${b.reason}`);
  assert.match(
    reasons.join('\n'),
    /^cut\.png: the picture is damaged.*\ndir\.jpg: it is a folder.*\nempty\.jpg: the file is empty.*\npage\.webp: .*webp.*npm install sharp.*\ntext\.jpg: not a picture/,
  );
});

test('arrays fall into samples by the input', async () => {
  const source = await openSamples(path('rows.npy'), { inputs: arrays });
  assert.equal(
    (await read(source)).map((s) => [...(s.tensors[0]?.tensor.data ?? [])]),
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
  );
  assert.is((await openSamples(path('rows.npy'))).length, 1);
  const [, second] = await read(await openSamples(path('all.npz'), { inputs: arrays }));
  assert.is(second?.label, 0);
  assert.equal([...(second?.targets?.[0]?.tensor.data ?? [])], [4, 5, 6]);
  assert.match(
    await message(openSamples(path('odd.npz'), { inputs: arrays })),
    /odd\.npz: .*different numbers of samples: 2 and 3/,
  );
  const wrong = [{ ...arrays[0], name: 'x', dtype: 'f32' as const, shape: [1, 5] }];
  assert.match(
    await message(openSamples(path('rows.npy'), { inputs: wrong })),
    /rows\.npy: holds f32 \[3, 2\], but input "x" takes f32 \[1, 5\]/,
  );
});

test('test data sets: inputs, and outputs as targets', async () => {
  const samples = await read(await openSamples(path('sets'), { inputs: arrays }));
  assert.equal(
    samples.map((s) => [first(s), s.targets?.[0]?.tensor.data[0]]),
    [
      [0, 10],
      [1, 11],
    ],
  );
});

test('a choice of samples: the first, or by seed', async () => {
  const some = async (samples: number, seed?: number): Promise<number[]> =>
    (await read(await openSamples(path('rows.npy'), { inputs: arrays, samples, seed }))).map(first);
  assert.equal(await some(2), [1, 3]);
  assert.equal(await some(9), [1, 3, 5]);
  const seen = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    const chosen = await some(2, seed);
    assert.equal(chosen, await some(2, seed));
    assert.equal(
      chosen,
      [...chosen].sort((a, b) => a - b),
    );
    seen.add(chosen.join());
  }
  assert.is(seen.size, 3);
});

test('what holds no samples is said', async () => {
  assert.match(await message(openSamples(path('none'), { inputs })), /none: cannot read: no such file/);
  assert.match(await message(openSamples(path('nothing'), { inputs })), /nothing: the folder holds no samples/);
  assert.match(await message(openSamples(path('set'), {})), /pictures need a network/);
  assert.match(await message(openSamples(path('set'), { inputs: arrays })), /takes no pictures.*npy/);
});

test.run();
