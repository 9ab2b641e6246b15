/** onnxruntime beside our modules, in `qc eval` and `qc bench`, as a user runs them. */
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadTestDigits } from '../../examples/digits/mnist.js';
import { npyFromTensor } from '../../src/data/npy.js';
import { f32, i64 } from '../../src/ir/tensor.js';
import { DIGITS } from '../support/models.js';
import { hasOrt, ORT_PLACE } from '../support/ort.js';
import { zip } from '../support/zip.js';
import { qc, TINY } from './qc.js';

const COUNT = 100;
let folder = '';

test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'qc-peers-'));
  writeFileSync(join(folder, 'digits.onnx'), readFileSync(DIGITS));
  writeFileSync(join(folder, 'tiny.onnx'), TINY);
  const digits = loadTestDigits();
  const indices = [...Array(COUNT).keys()];
  const pixels = indices.flatMap((i) => [...digits.pixels(i)].map((p) => p / 255));
  const files = [
    { name: 'image.npy', data: npyFromTensor(f32([COUNT, 1, 28, 28], pixels)) },
    {
      name: 'label.npy',
      data: npyFromTensor(
        i64(
          [COUNT],
          indices.map((i) => digits.label(i)),
        ),
      ),
    },
  ];
  writeFileSync(join(folder, 'digits.npz'), zip(files, 8));
  if (ORT_PLACE !== undefined) symlinkSync(join(ORT_PLACE, 'node_modules'), join(folder, 'node_modules'));
});
test.after(() => rmSync(folder, { recursive: true }));

interface Column {
  readonly name: string;
  readonly accuracy: Record<string, number>;
  readonly agreement?: number;
  readonly error?: number;
}

if (hasOrt('onnxruntime beside our modules')) {
  test('eval --against onnxruntime: exact results, and a column that says how it ran', async () => {
    const args = ['--data', 'digits.npz', '--precision', 'fake-quantized', '--against', 'onnxruntime'];
    const { code, out, err } = await qc(['eval', 'digits.onnx', ...args, '--json', '--num-threads', '2'], folder);
    assert.is(code, 0, err);
    const [ours, theirs] = (JSON.parse(out) as { columns: Column[] }).columns as [Column, Column];
    // Whether its optimizer can take this model depends on its version.
    assert.match(theirs.name, /^onnxruntime( \(unoptimized\))?$/);
    assert.match(err, /note: onnxruntime runs on one thread, with session.x64quantprecision=1/);
    assert.is(
      /without optimizations, which fail on this model \(.+\): its times say little/.test(err),
      theirs.name.endsWith(' (unoptimized)'),
    );
    assert.not.match(err, /\[E:onnxruntime/, 'its own log is not shown');
    assert.equal(theirs.accuracy, ours.accuracy);
    assert.is(theirs.agreement, 1);
    assert.ok((theirs.error as number) < 0.01, String(theirs.error));
  });

  test('bench --peers onnxruntime-node: a case beside ours, its outputs compared', async () => {
    const fast = ['--rounds', '1', '--seconds', '0.02', '--cold-starts', '1', '--json'];
    const { code, out, err } = await qc(['bench', 'tiny.onnx', '--peers', 'onnxruntime-node', ...fast], folder);
    assert.is(code, 0, err);
    const { results } = JSON.parse(out) as { results: { case: Column; difference: number; about: object }[] };
    const [int8, ...others] = results;
    const peer = others.at(-1);
    assert.is(peer?.case.name, 'onnxruntime-node');
    const apart = Math.abs((peer?.difference as number) - (int8?.difference as number));
    assert.ok(apart < 0.01, `${apart}: as far from FP32 as ours`);
    assert.match(JSON.stringify(peer?.about), /"package":"\d/);
  });

  test('what it cannot read is explained', async () => {
    writeFileSync(join(folder, 'copy.model'), readFileSync(DIGITS));
    const other = await qc(['eval', 'copy.model', '--data', 'digits.npz', '--against', 'onnxruntime'], folder);
    assert.is(other.code, 2);
    assert.match(other.err, /onnxruntime reads ONNX models, not copy.model/);
  });
}

test.run();
