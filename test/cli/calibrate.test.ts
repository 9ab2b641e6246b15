/** qc calibrate and qc compile --calibrate-with, as users run them. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeNpy } from '../../src/data/npy.js';
import { Network, random } from '../support/network.js';
import { programOf } from '../support/wasm-sections.js';
import { qc } from './qc.js';

let folder = '';
const path = (name: string): string => join(folder, name);
const text = (name: string): string => readFileSync(path(name), 'utf8');
const ok = async (...args: string[]): Promise<{ out: string; err: string }> => {
  const { code, out, err } = await qc(args, folder);
  assert.is(code, 0, `qc ${args.join(' ')}: ${err}`);
  return { out, err };
};
const fails = async (code: number, message: RegExp, ...args: string[]): Promise<void> => {
  const outcome = await qc(args, folder);
  assert.is(outcome.code, code, `qc ${args.join(' ')}: ${outcome.err}`);
  assert.match(outcome.err, message);
};

const SAMPLES = 8;

function samples(seed: number): Uint8Array {
  const next = random(seed);
  const shape = [SAMPLES, 3, 8, 8];
  return encodeNpy({ dtype: 'f32', shape, data: Float32Array.from({ length: SAMPLES * 192 }, next) });
}

test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'qc-calibrate-'));
  const net = new Network(3);
  const x = net.input('x', [1, 3, 8, 8]);
  const a = net.op('Relu', [net.op('Conv', [x, net.values([8, 3, 3, 3]), net.values([8])], { pads: [1, 1, 1, 1] })]);
  writeFileSync(path('net.onnx'), net.bytes([net.op('Conv', [a, net.values([4, 8, 1, 1])])]));
  writeFileSync(path('x.npy'), samples(1));
  const nan = new Float32Array(192).fill(0.5);
  nan[70] = Number.NaN;
  writeFileSync(path('nan.npy'), encodeNpy({ dtype: 'f32', shape: [1, 3, 8, 8], data: nan }));
});
test.after(() => rmSync(folder, { recursive: true }));

test('calibrate writes a quantized model and a table, and tells of every value', async () => {
  const { out, err } = await ok('calibrate', 'net.onnx', '--data', 'x.npy', '--scales', 'scales.json');
  assert.match(err, /calibrated net.onnx to net.quantized.onnx/);
  assert.match(err, /samples\s+8\n[\s\S]*scheme\s+u8 \(s8 [\d.]+ dB, u8 [\d.]+ dB on average\)/);
  assert.match(out, /^value +made by +algorithm +seen +covered +grid +clipped +SQNR\nx +input +mse/);
  const table = JSON.parse(text('scales.json')) as { format: string; values: Record<string, { scale: number }> };
  assert.is(table.format, 'qc-scales');
  assert.ok(Object.values(table.values).every(({ scale }) => scale > 0));
  assert.equal(Object.keys(table.values)[0], 'x');
});

test('the written model and --calibrate-with compile to the same code and data', async () => {
  const flags = ['--algorithm', 'percentile,input=minmax', '--recover'];
  const { out } = await ok('calibrate', 'net.onnx', '--data', 'x.npy', '-o', 'q.onnx', '--json', ...flags);
  const report = JSON.parse(out) as { samples: number; values: { name: string; algorithm: string }[] };
  assert.is(report.samples, SAMPLES);
  assert.equal(
    report.values.map((v) => v.algorithm),
    ['minmax', 'percentile'],
  );
  await ok('compile', 'q.onnx', '-o', 'a');
  await ok('compile', 'net.onnx', '-o', 'b', '--calibrate-with', 'x.npy', '--scales', 't.json', ...flags);
  const [a, b] = ['a/q.wasm', 'b/net.wasm'].map((name) => programOf(readFileSync(path(name))));
  assert.equal(b, a);
  assert.match(text('t.json'), /"format": "qc-scales"/);
});

test('samples that cannot be read are left out and counted once', async () => {
  mkdirSync(path('set'));
  for (const name of ['gray.png', 'palette.png'])
    copyFileSync(new URL(`../fixtures/pictures/${name}`, import.meta.url), path(`set/${name}`));
  writeFileSync(path('set/b.png'), 'garbage');
  await fails(3, /b.png/, 'calibrate', 'net.onnx', '--data', 'set', '-o', 'skip.onnx');
  const { err } = await ok('calibrate', 'net.onnx', '--data', 'set', '--skip-bad', '-o', 'skip.onnx');
  assert.match(err, /samples\s+2, 1 left out/);
  assert.is(err.match(/left out.*b\.png/g)?.length, 1);
});

test('shards give the table of one process; a table gives a model', async () => {
  for (const i of [2, 1]) await ok('calibrate', 'net.onnx', '--data', 'x.npy', '--shard', `${i}/2`, '-o', `${i}.json`);
  await ok('calibrate', 'net.onnx', '--merge', '2.json', '--merge', '1.json', '-o', 'm.onnx', '--scales', 'm.json');
  assert.is(text('m.json'), text('scales.json')); // the first test's
  await ok('calibrate', 'net.onnx', '--scales', 'm.json', '-o', 'table.onnx');
  assert.equal(readFileSync(path('table.onnx')), readFileSync(path('m.onnx')));
});

test('what cannot be done is refused, and nothing is written', async () => {
  const into = ['-o', 'none/none.onnx'];
  await fails(2, /--data says which samples/, 'calibrate', 'net.onnx', ...into);
  await fails(3, /nan.npy[\s\S]*input "x"[\s\S]*not finite/, 'calibrate', 'net.onnx', '--data', 'nan.npy', ...into);
  for (const shard of ['4/3', '0/3', '1', '1/x'])
    await fails(2, /--shard takes I\/N/, 'calibrate', 'net.onnx', '--data', 'x.npy', '--shard', shard, ...into);
  await fails(
    2,
    /order of the samples/,
    'calibrate',
    'net.onnx',
    '--data',
    'x.npy',
    '--shard',
    '1/2',
    '--algorithm',
    'moving-average',
    ...into,
  );
  await fails(2, /8 bits/, 'calibrate', 'net.onnx', '--data', 'x.npy', '--weight-bits', '4', ...into);
  await fails(2, /--algorithm goes with --calibrate-with/, 'compile', 'net.onnx', '--algorithm', 'kl', ...into);
  assert.not(existsSync(path('none')));
});

test.run();
