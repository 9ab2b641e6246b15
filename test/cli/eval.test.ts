import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PNG } from 'pngjs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadTestDigits } from '../../examples/digits/mnist.js';
import { compile } from '../../src/compile.js';
import { npyFromTensor } from '../../src/data/npy.js';
import { f32, i64 } from '../../src/ir/tensor.js';
import { hasChromium, launchChromium, openPage, screenshot } from '../support/chromium.js';
import { DIGITS } from '../support/models.js';
import { model } from '../support/onnx.js';
import { zip } from '../support/zip.js';
import { each, type Outcome, qc } from './qc.js';

const COUNT = 230;
let folder = '';
const path = (name: string): string => join(folder, name);
const ok = async (...args: string[]): Promise<Outcome> => {
  const outcome = await qc(args, folder);
  assert.is(outcome.code, 0, outcome.err);
  return outcome;
};

interface Report {
  readonly samples: number;
  readonly batches: number;
  readonly columns: readonly {
    name: string;
    accuracy: Record<string, number>;
    own: Record<string, number>;
    metric: Record<string, number>;
    agreement?: number;
    hashes?: object;
    loss?: number;
  }[];
  readonly changed: readonly object[];
  readonly bad: readonly { name: string }[];
}
/** Everything that must not depend on the machine. */
const figures = ({ columns, ...report }: Report): object => ({
  ...report,
  machine: 0,
  threads: 0,
  columns: columns.map(({ name, accuracy, own, metric, agreement }) => ({ name, accuracy, own, metric, agreement })),
});
const evaluate = async (...args: string[]): Promise<Report> =>
  JSON.parse((await ok('eval', ...args, '--json')).out) as Report;

test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'qc-eval-'));
  const bytes = readFileSync(DIGITS);
  writeFileSync(path('digits.onnx'), bytes);
  writeFileSync(path('fp32.wasm'), (await compile(bytes, { precision: 'fp32' })).wasm);
  writeFileSync(path('int8.wasm'), (await compile(bytes)).wasm);
  writeFileSync(path('flat.wasm'), (await compile(CONSTANT)).wasm);
  writeFileSync(path('flat.onnx'), CONSTANT);
  writeFileSync(path('mean.wasm'), (await compile(MEAN)).wasm);
  const digits = loadTestDigits();
  const pixels = Array.from({ length: COUNT }, (_, i) => [...digits.pixels(i)]);
  const labels = pixels.map((_, i) => digits.label(i));
  const images = f32(
    [COUNT, 1, 28, 28],
    pixels.flat().map((p) => p / 255),
  );
  const files = [
    { name: 'image.npy', data: npyFromTensor(images) },
    { name: 'label.npy', data: npyFromTensor(i64([COUNT], labels)) },
  ];
  writeFileSync(path('digits.npz'), zip(files, 8));
  writeFileSync(path('images.npy'), files[0].data);
  writeFileSync(path('labels.txt'), labels.join('\n'));
  writeFileSync(path('wrong.txt'), labels.map((l) => l + 1).join('\n'));
  mkdirSync(path('set/dir.png'), { recursive: true });
  for (let i = 0; i < 6; i++) {
    const image = new PNG({ width: 28, height: 28 });
    pixels[i].forEach((p, k) => {
      image.data.set([p, p, p, 255], 4 * k);
    });
    writeFileSync(path(`set/${i}.png`), PNG.sync.write(image));
  }
  writeFileSync(path('set/cut.png'), 'x');
  writeFileSync(
    path('set/val_list.txt'),
    [...Array(6).keys()]
      .map((i) => `${i}.png ${labels[i]}`)
      .concat('dir.png 1', 'cut.png 2')
      .join('\n'),
  );
  writeFileSync(
    path('metric.mjs'),
    `const wanted = Number(new URL(import.meta.url).searchParams.get('digit') ?? 1);
     export default {
       score: ({ outputs, label }) => ({ hit: outputs.logits.data.indexOf(Math.max(...outputs.logits.data)) === wanted, is: label === wanted }),
       summarize: (scores) => ({ recall: scores.filter((s) => s.hit && s.is).length / scores.filter((s) => s.is).length }),
     };`,
  );
  writeFileSync(path('empty.mjs'), 'export default {};');
  writeFileSync(path('one.txt'), '1');
  writeFileSync(path('names.txt'), 'zero\none\ntwo\n');
});
test.after(() => rmSync(folder, { recursive: true }));

test('one command gives the table FP32 / fake-quantized / INT8 / difference / ratio', async () => {
  const { out, err } = await ok(
    'eval',
    'digits.onnx',
    '--data',
    'digits.npz',
    '--batch-size',
    '20',
    '--changed',
    '--per-class',
    '--confusion',
  );
  assert.match(
    out,
    /^ +FP32 +fake-quantized +INT8 +difference +ratio\ntop-1 +(9\d|100)\.\d\d % +(9\d|100)\.\d\d % +(9\d|100)\.\d\d % +[+-]?\d\.\d\d\n/,
  );
  assert.match(
    out,
    /\ntop-5 .*\nagreement with FP32 +- +.*%\n[\s\S]*\nlatency mean .* ms +\d+\.\d\dx\nlatency p50[\s\S]*latency p90[\s\S]*latency p99[\s\S]*samples per second/,
  );
  assert.match(out, /\nmemory .*\nmodule .*x\n/);
  assert.match(out, /predictions? changed\n/);
  assert.match(out, /accuracy by class\nclass +samples +FP32/);
  assert.match(out, /taken for another class by INT8/);
  assert.match(err, /batch 10\/12: FP32 top-1 /);
  assert.match(err, /evaluated 230 samples, 230 with labels, in 12 batches on 1 thread/);
});

test('1, 2 and 4 threads give the same figures', async () => {
  const reports = new Map<string, object>();
  await each(
    ['1', '2', '4'],
    async (n) => {
      reports.set(
        n,
        figures(
          await evaluate(
            'fp32.wasm',
            '--data',
            'digits.npz',
            '--batch-size',
            '13',
            '--num-threads',
            n,
            '--metric',
            'metric.mjs',
          ),
        ),
      );
    },
    2,
  );
  assert.equal(reports.get('2'), reports.get('1'));
  assert.equal(reports.get('4'), reports.get('1'));
});

test('a part of the data: batches, samples, labels from a file', async () => {
  const part = await evaluate(
    'fp32.wasm',
    '--data',
    'images.npy',
    '--labels',
    'labels.txt',
    '--batch-size',
    '50',
    '--skip-batches',
    '3',
    '--iterations',
    '2',
    '--top-k',
    '1',
  );
  assert.equal([part.samples, part.batches], [80, 2]);
  const all = await evaluate('fp32.wasm', '--data', 'images.npy', '--labels', 'labels.txt');
  assert.equal(
    all.columns.map((c) => c.name),
    ['fp32.wasm'],
  );
  const some = ['fp32.wasm', '--data', 'images.npy', '--labels', 'labels.txt', '--samples', '40', '--seed', '3'];
  assert.equal((await evaluate(...some)).columns[0]?.accuracy, { 1: 1, 5: 1 }, 'the labels of the samples chosen');
  const shifted = await evaluate(
    'fp32.wasm',
    '--infer_data',
    'images.npy',
    '--labels',
    'wrong.txt',
    '--label-offset',
    '1',
  );
  assert.equal(shifted.columns[0]?.accuracy, all.columns[0]?.accuracy);
  assert.is((await evaluate('fp32.wasm', '--data', 'images.npy', '--samples', '7')).samples, 7);
  const fake = await evaluate('fp32.wasm', '--fake-data', '--iterations', '2', '--batch-size', '5');
  assert.equal([fake.samples, fake.columns[0]?.accuracy], [10, {}]);
});

test('modules, other flags and other columns', async () => {
  const data = ['--data', 'digits.npz', '--samples', '60'];
  const [against, fake] = ['--against', 'digits.onnx --precision fake-quantized'];
  const report = await evaluate(
    'digits.onnx',
    '--fp32',
    ...data,
    against,
    fake,
    '--against=--ops-to-quantize fc',
    against,
    'fp32.wasm',
  );
  assert.equal(
    report.columns.map((c) => c.name),
    ['FP32', fake, '--ops-to-quantize fc', 'fp32.wasm'],
  );
  assert.is(report.columns[3]?.agreement, 1);
});

test('a metric of a task, with parameters', async () => {
  const recall = async (...flags: string[]): Promise<number | undefined> =>
    (await evaluate('fp32.wasm', '--data', 'digits.npz', ...flags)).columns[0]?.metric.recall;
  const [one, other] = await Promise.all([recall('--metric', 'metric.mjs'), recall('--metric', 'metric.mjs?digit=12')]);
  assert.ok(one !== undefined && one > 0.95 && one <= 1, String(one));
  assert.is(other, null, 'no digit is a 12: 0 / 0 in JSON');
});

test('pictures that cannot be read are all named, or left out and counted', async () => {
  const args = ['fp32.wasm', '--data', 'set', '--decoder', 'js', '--batch-size', '2'];
  const { code, err } = await qc(['eval', ...args], folder);
  assert.is(code, 3);
  assert.match(
    err,
    /2 samples cannot be read:\n.*dir\.png: it is a folder.*\n.*cut\.png: not a picture.*\n.*--skip-bad/,
  );
  const report = await evaluate(...args, '--skip-bad');
  assert.is(report.samples, 6);
  assert.is(report.columns[0]?.accuracy['1'], 1);
  assert.equal(
    report.bad.map((b) => b.name),
    ['set/dir.png', 'set/cut.png'],
  );
});

test('a report that cannot be written does not cost the results', async () => {
  const { code, out, err } = await qc(
    ['eval', 'fp32.wasm', '--data', 'digits.npz', '--samples', '10', '--report', 'digits.npz/out.html'],
    folder,
  );
  assert.is(code, 4);
  assert.match(out, /^top-1 +100\.00 %/m);
  assert.match(err, /digits\.npz.*folder/);
});

test('limits fail the command after its results', async () => {
  const strict = await qc(
    ['eval', 'fp32.wasm', '--against', 'int8.wasm', '--data', 'digits.npz', '--min-speedup', '1000', '--json'],
    folder,
  );
  assert.is(strict.code, 1);
  assert.match(strict.err, /int8\.wasm is .* times as fast as fp32\.wasm, at least 1000 are wanted/);
  assert.is((JSON.parse(strict.out) as Report).samples, COUNT);
  const large = await qc(['eval', 'int8.wasm', '--data', 'digits.npz', '--samples', '10', '--max-size', '1kB'], folder);
  assert.is(large.code, 1);
  assert.match(large.out, /top-1/);
  assert.match(large.err, /--max-size: int8\.wasm has .* kB, the limit is 1/);
  await ok('eval', 'fp32.wasm', '--against', 'int8.wasm', '--data', 'digits.npz', '--max-accuracy-drop', '5');
  const drop = await qc(
    ['eval', 'fp32.wasm', '--data', 'digits.npz', '--against', 'flat.wasm', '--max-accuracy-drop', '5'],
    folder,
  );
  assert.is(drop.code, 1);
  assert.match(drop.err, /flat\.wasm loses \d\d\.\d\d points against fp32\.wasm, the limit is 5/);
});

/** A network that calls every picture a 0. */
const CONSTANT = model({
  inputs: { image: [1, 1, 28, 28] },
  outputs: { logits: [1, 10] },
  initializers: {
    w: { shape: [784, 10], data: new Array(7840).fill(0) },
    b: { shape: [10], data: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
  },
  nodes: [
    { op: 'Flatten', inputs: ['image'], outputs: ['flat'] },
    { op: 'Gemm', inputs: ['flat', 'w', 'b'], outputs: ['logits'] },
  ],
});

test('an accuracy layer of the model: labels go in, its figures stand beside ours', async () => {
  writeFileSync(
    path('layer.onnx'),
    model({
      inputs: { image: [1, 1, 28, 28], label: { shape: [1, 1], dtype: 'i64' } },
      outputs: { probs: [1, 10], acc: [1] },
      initializers: {
        w: { shape: [784, 10], data: Array.from({ length: 7840 }, (_, i) => Math.sin(i) / 8) },
        one: { shape: [1], dtype: 'i64', data: [1] },
      },
      nodes: [
        { op: 'Flatten', inputs: ['image'], outputs: ['flat'] },
        { op: 'MatMul', inputs: ['flat', 'w'], outputs: ['logits'] },
        { op: 'Softmax', inputs: ['logits'], outputs: ['probs'], attrs: { axis: 1 } },
        { op: 'TopK', inputs: ['probs', 'one'], outputs: ['values', 'indices'] },
        { op: 'Equal', inputs: ['indices', 'label'], outputs: ['hit'] },
        { op: 'Cast', inputs: ['hit'], outputs: ['real'], attrs: { to: 1 } },
        { op: 'ReduceMean', inputs: ['real'], outputs: ['acc'], attrs: { axes: [1], keepdims: 0 } },
      ],
    }),
  );
  const [column] = (await evaluate('layer.onnx', '--data', 'digits.npz')).columns;
  assert.ok(column?.loss !== undefined && column.loss > 0);
  assert.ok(Math.abs((column.own.acc ?? 0) - (column.accuracy['1'] ?? 1)) < 1e-6, JSON.stringify(column));
  const { code, err } = await qc(['eval', 'layer.onnx', '--data', 'images.npy'], folder);
  assert.is(code, 3);
  assert.match(err, /has no label, but the network takes labels as input "label"/);
});

test('errors say what to do', async () => {
  const cases: [string, number, RegExp][] = [
    ['eval', 2, /qc eval needs a MODEL\|MODULE/],
    ['eval fp32.wasm', 2, /--data says what to evaluate on/],
    ['eval fp32.wasm --data none', 4, /none: cannot read/],
    ['eval fp32.wasm --data digits.npz --fake-data', 2, /contradict/],
    [
      'eval fp32.wasm --data digits.npz --skip-batches 5',
      2,
      /skipping 5 batches leaves nothing: 230 samples are 5 batches of 50/,
    ],
    [
      'eval fp32.wasm --data digits.npz --output none',
      2,
      /--output none is no output of fp32.wasm\n.*"logits" \[1, 10\]/,
    ],
    ['eval fp32.wasm --data digits.npz --top-k 0', 2, /--top-k takes numbers/],
    ['eval fp32.wasm --data digits.npz --batch-size 0', 2, /--batch-size takes an integer from 1/],
    ['eval fp32.wasm --data images.npy --labels set/val_list.txt', 3, /label 1 is no integer from 0/],
    ['eval fp32.wasm --data images.npy --labels one.txt', 2, /1 labels were given for 230 samples of images.npy/],
    ['eval fp32.wasm --data images.npy --labels names.txt', 3, /holds no labels.*\n.*Names.*--class-names/],
    ['eval fp32.wasm --data digits.npz --labels set/none', 4, /cannot read/],
    [
      'eval fp32.wasm --data digits.npz --label-offset 5',
      3,
      /label \d is no class of the network.*5 to 14\n.*--label-offset/,
    ],
    ['eval fp32.wasm --data digits.npz --metric empty.mjs', 2, /exports no metric/],
    ['eval fp32.wasm --data digits.npz --metric none.mjs', 2, /cannot be loaded/],
    ['eval fp32.wasm --data digits.npz --against none.onnx', 4, /none.onnx: cannot read/],
    ['eval digits.onnx --data digits.npz --precision int8 --no-fuse', 2, /--no-fuse is for FP32/],
    [
      'eval fp32.wasm --data digits.npz --against=--fp32',
      2,
      /--fp32 says how to compile, but fp32.wasm is compiled already/,
    ],
    ['eval fp32.wasm --data digits.npz --max-accuracy-drop 1', 2, /only one column/],
    ['eval fp32.wasm --data digits.npz --targets none', 4, /none: no such folder/],
    ['eval fp32.wasm --data digits.npz --label-list labels.txt', 2, /goes with a folder of them.*\n.*--labels/],
    ['eval fp32.wasm --data digits.npz --max-size big', 2, /--max-size takes a size/],
    ['eval fp32.wasm --infer_model digits.onnx --fake-data', 2, /given twice/],
  ];
  await each(cases, async ([args, code, message]) => {
    const { code: given, err } = await qc(args.split(' '), folder);
    assert.is(given, code, `${args}: ${err}`);
    assert.match(err, message, args);
    assert.not.match(err, /\n\s+at /);
  });
});

test('old command lines of the tester need only their first word changed', async () => {
  await ok(
    'eval',
    '--infer_model=fp32.wasm',
    '--infer_data=digits.npz',
    '--batch_size=20',
    '--num_threads=1',
    '--iterations=2',
    '--optimize_fp32_model',
    '--with_accuracy_layer=false',
  );
});

/** A network that tells the mean of each channel. */
const MEAN = model({
  inputs: { image: [1, 3, 8, 8] },
  outputs: { means: [1, 3] },
  nodes: [
    { op: 'GlobalAveragePool', inputs: ['image'], outputs: ['pooled'] },
    { op: 'Flatten', inputs: ['pooled'], outputs: ['means'] },
  ],
});

test('a folder and its data sets in both forms give the same figures', async () => {
  mkdirSync(path('rgb'));
  for (let i = 0; i < 9; i++) {
    const image = new PNG({ width: 12, height: 10 });
    for (let p = 0; p < 120; p++) image.data.set([40 * (i % 3) + p, 60 + p, 90 - p / 2, 255], 4 * p);
    writeFileSync(path(`rgb/${i}.png`), PNG.sync.write(image));
  }
  writeFileSync(path('rgb/val_list.txt'), [...Array(9).keys()].map((i) => `${i}.png ${i % 3}`).join('\n'));
  const how = ['--resize', '9', '--decoder', 'js', '--mean', '0.4', '--std', '0.2'];
  const make = (dtype: string): Promise<Outcome> =>
    ok('preprocess', '--data-dir', 'rgb', '-o', `${dtype}.bin`, '--data-dim', '8', '--dtype', dtype, ...how);
  await Promise.all([make('f32'), make('u8')]);
  writeFileSync(
    path('metric-sum.mjs'),
    `export default {
    score: ({ outputs }) => [...outputs.means.data],
    summarize: (scores) => ({ sum: scores.flat().reduce((a, b) => a + b, 0) }) };`,
  );
  const [folderRun, f32Run, u8Run] = await Promise.all([
    evaluate('mean.wasm', '--data', 'rgb', ...how, '--metric', 'metric-sum.mjs'),
    evaluate('mean.wasm', '--data', 'f32.bin', '--metric', 'metric-sum.mjs'),
    evaluate('mean.wasm', '--data', 'u8.bin', '--metric', 'metric-sum.mjs', '--num-threads', '2', '--batch-size', '4'),
  ]);
  const told = ({ samples, columns: [c] }: Report): unknown[] => [samples, c?.accuracy, c?.metric];
  assert.equal(told(f32Run), told(folderRun));
  assert.equal(told(u8Run), told(folderRun));
  assert.ok(Number.isFinite(folderRun.columns[0]?.metric.sum));
  writeFileSync(path('cut.bin'), readFileSync(path('f32.bin')).subarray(0, 3000));
  const cases: [args: string[], message: RegExp][] = [
    [
      ['mean.wasm', '--data', 'cut.bin'],
      /cut\.bin: truncated: 3000 bytes, but 9 pictures of 8x8 with labels take 6992/,
    ],
    [['mean.wasm', '--data', 'u8.bin', '--label-offset', '1'], /label 0 is no class of the network.*1 to 3/],
    [['fp32.wasm', '--data', 'f32.bin'], /f32\.bin: its pictures are 8x8, the network takes 28x28/],
  ];
  await each(cases, async ([args, message]) => {
    const { code, err } = await qc(['eval', ...args], folder);
    assert.is(code, 3, err);
    assert.match(err, message);
  });
});

test('the page shows every section, and a browser has no complaint', async () => {
  await ok(
    'eval',
    'fp32.wasm',
    '--data',
    'set',
    '--skip-bad',
    '--decoder',
    'js',
    '--against',
    'flat.onnx',
    '--report',
    'out/page.html',
  );
  assert.equal(readdirSync(path('out')), ['page.html']);
  if (!hasChromium('the page of an evaluation in a browser')) return;
  const browser = await launchChromium();
  try {
    const [page, problems] = await openPage(browser, pathToFileURL(path('out/page.html')).href);
    assert.equal(await page.locator('section.card h2').allTextContents(), [
      'Results',
      'Latency',
      'Time per layer: flat.onnx',
      'Changed predictions',
      'Confusion',
      'Accuracy by class',
      'How it was measured',
    ]);
    assert.is(await page.locator('#latency svg').count(), 2);
    assert.ok((await page.locator('#changed img').count()) > 0, 'changed predictions have pictures');
    assert.is(await page.evaluate('[...document.images].every((i) => i.complete && i.naturalWidth > 0)'), true);
    assert.match(
      (await page.locator('#about').allTextContents()).join(),
      /SHA-256 of the model[\s\S]*2 samples left out/,
    );
    await screenshot(page, 'evaluation');
    assert.equal(problems, []);
  } finally {
    await browser.close();
  }
});

test.run();
