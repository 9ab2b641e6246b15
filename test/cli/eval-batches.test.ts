/** Models that take several samples at once, and their accuracy layers, in `qc eval`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { npyFromTensor } from '../../src/data/npy.js';
import { f32, i64 } from '../../src/ir/tensor.js';
import { random } from '../support/network.js';
import { type ModelSpec, model } from '../support/onnx.js';
import { zip } from '../support/zip.js';
import { each, type Outcome, qc } from './qc.js';

const [COUNT, CLASSES] = [60, 4];
let folder = '';
const run = (args: string): Promise<Outcome> => qc(['eval', ...args.split(' ')], folder);

/** Scores are the inputs; top-1 of the whole batch beside the probabilities. */
const SPEC = {
  inputs: { x: ['N', CLASSES], label: { shape: ['N', 1], dtype: 'i64' } },
  outputs: { probs: ['N', CLASSES], acc: [] },
  initializers: { one: { shape: [1], dtype: 'i64', data: [1] } },
  nodes: [
    { op: 'Softmax', inputs: ['x'], outputs: ['probs'], attrs: { axis: 1 } },
    { op: 'TopK', inputs: ['probs', 'one'], outputs: ['values', 'indices'] },
    { op: 'Equal', inputs: ['indices', 'label'], outputs: ['hit'] },
    { op: 'Cast', inputs: ['hit'], outputs: ['real'], attrs: { to: 1 } },
    { op: 'ReduceMean', inputs: ['real'], outputs: ['acc'], attrs: { keepdims: 0 } },
  ],
} as const satisfies ModelSpec;

test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'qc-batches-'));
  const next = random(5);
  const values = Array.from({ length: COUNT * CLASSES }, next);
  const labels = Array.from({ length: COUNT }, () => Math.floor((next() + 1) * 2) % CLASSES);
  const files = [
    { name: 'x.npy', data: npyFromTensor(f32([COUNT, CLASSES], values)) },
    { name: 'labels.npy', data: npyFromTensor(i64([COUNT], labels)) },
  ];
  writeFileSync(join(folder, 'set.npz'), zip(files, 8));
  writeFileSync(join(folder, 'layer.onnx'), model(SPEC));
  writeFileSync(join(folder, 'figures.onnx'), model({ ...SPEC, outputs: { acc: [] } }));
});
test.after(() => rmSync(folder, { recursive: true }));

interface Report {
  readonly samplesPerRun: number;
  readonly columns: readonly { accuracy: Record<string, number>; own: Record<string, number>; latency: object }[];
}

test('figures of the model stand beside ours, whatever its batch; runs that are not full are told', async () => {
  const cases = [
    ['--batch 1', 1, false],
    ['--batch 20 --batch-size 20 --num-threads 2', 20, false],
    ['--batch 20', 20, true],
  ] as const;
  await each([...cases], async ([flags, units, told]) => {
    const { code, out, err } = await run(`layer.onnx --data set.npz --json ${flags}`);
    assert.is(code, 0, err);
    const { samplesPerRun, columns } = JSON.parse(out) as Report;
    assert.is(samplesPerRun, units);
    const { accuracy, own } = columns[0] as Report['columns'][0];
    assert.is(/note: a run takes 20 samples: .* left out of the figures of the model/.test(err), told, flags);
    if (!told) assert.ok(Math.abs((own.acc as number) - (accuracy['1'] as number)) < 1e-6, JSON.stringify(columns));
    assert.ok((accuracy['1'] as number) > 0 && (accuracy['1'] as number) < 1);
  });
});

test('a line every 10 batches; where there is no class in the outputs it has the figures of the model', async () => {
  const { err } = await run('layer.onnx --data set.npz --batch-size 5');
  assert.match(err, /^batch 10\/12: FP32 top-1 \d+\.\d\d %, /m);
  assert.is(err.match(/^batch /gm)?.length, 1);
  const other = await run('figures.onnx --data set.npz --batch-size 2');
  assert.match(other.err, /^batch 30\/30: FP32 acc 0\.\d{4}, /m);
  assert.is(other.err.match(/^batch /gm)?.length, 3);
});

test('with fake data there are times only', async () => {
  const { out } = await run('layer.onnx --fake-data --iterations 1 --json');
  const { accuracy, own } = (JSON.parse(out) as Report).columns[0] as Report['columns'][0];
  assert.equal([accuracy, own], [{}, {}]);
});

test('a further column of the same model has its shapes, and another batch is refused', async () => {
  const { code, out, err } = await run('layer.onnx --data set.npz --batch 20 --batch-size 20 --json --against=--fp32');
  assert.is(code, 0, err);
  const [first, second] = (JSON.parse(out) as Report).columns;
  assert.equal(second?.own, first?.own);
  const odd = await qc(['eval', 'layer.onnx', '--data', 'set.npz', '--batch', '20', '--against=--batch 10'], folder);
  assert.is(odd.code, 2);
  assert.match(odd.err, /--batch 10 does not take what the first column takes: "x" \[20, 4\].*\n.*"x" \[10, 4\]/);
});

test.run();
