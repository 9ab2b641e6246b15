/** qc calibrate and qc compile --calibrate-with, as users run them. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

function samples(seed: number, shape = [SAMPLES, 3, 8, 8], range = 1): Uint8Array {
  const next = random(seed);
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => range * next());
  return encodeNpy({ dtype: 'f32', shape, data });
}

test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'qc-calibrate-'));
  const net = new Network(3);
  const x = net.input('x', [1, 3, 8, 8]);
  const a = net.op('Relu', [net.op('Conv', [x, net.values([8, 3, 3, 3]), net.values([8])], { pads: [1, 1, 1, 1] })]);
  const b = net.op('Conv', [a, net.values([8, 8, 1, 1])]);
  const joined = net.op('Concat', [net.op('Relu', [b]), a], { axis: 1 });
  const y = net.op('Gemm', [
    net.op('Flatten', [net.op('GlobalAveragePool', [joined])]),
    net.values([16, 4]),
    net.values([4]),
  ]);
  writeFileSync(path('net.onnx'), net.bytes([net.op('Softmax', [y])]));
  writeFileSync(path('x.npy'), samples(1));
  writeFileSync(path('small.npy'), samples(1, [2, 3, 4, 4]));
  const nan = new Float32Array(3 * 64).fill(0.5);
  nan[70] = Number.NaN;
  writeFileSync(path('nan.npy'), encodeNpy({ dtype: 'f32', shape: [1, 3, 8, 8], data: nan }));
  writeFileSync(path('huge.npy'), samples(2, [1, 3, 8, 8], 3e38));
  writeFileSync(
    path('alike.npy'),
    encodeNpy({ dtype: 'f32', shape: [3, 3, 8, 8], data: new Float32Array(576).fill(1) }),
  );
});
test.after(() => rmSync(folder, { recursive: true }));

test('calibrate writes a quantized model and a table, and tells of every value', async () => {
  const { out, err } = await ok('calibrate', 'net.onnx', '--data', 'x.npy', '--scales', 'scales.json');
  assert.match(err, /calibrated net.onnx to net.quantized.onnx/);
  assert.match(err, /samples\s+8\n[\s\S]*scheme\s+u8 \(s8 [\d.]+ dB, u8 [\d.]+ dB on average\)/);
  assert.match(out, /^value +made by +algorithm +seen +covered +grid +clipped +SQNR\nx +input +mse/);
  const table = JSON.parse(text('scales.json')) as { format: string; values: Record<string, { scale: number }> };
  assert.is(table.format, 'qc-scales');
  assert.ok(Object.keys(table.values).length >= 5);
  for (const { scale } of Object.values(table.values)) assert.ok(scale > 0);
  const { out: json } = await ok('calibrate', 'net.onnx', '--data', 'x.npy', '--json', '-o', 'b.onnx');
  const report = JSON.parse(json) as { values: { name: string; sqnr: number; clipped: number }[]; samples: number };
  assert.equal(
    report.values.map((v) => v.name),
    Object.keys(table.values),
  );
  assert.is(report.samples, SAMPLES);
  assert.equal(readFileSync(path('b.onnx')), readFileSync(path('net.quantized.onnx')));
});

test('the quantized model and the direct way compile to the same code and data, with every recovery', async () => {
  for (const recover of [[], ['--recover', 'none'], ['--recover']]) {
    const flags = ['--algorithm', 'percentile', ...recover];
    await ok('calibrate', 'net.onnx', '--data', 'x.npy', '-o', 'q.onnx', '--scales', 's.json', ...flags);
    await ok('compile', 'q.onnx', '-o', 'a');
    await ok('compile', 'net.onnx', '-o', 'b', '--calibrate-with', 'x.npy', '--scales', 't.json', ...flags);
    assert.is(text('t.json'), text('s.json'));
    const [a, b] = ['a/q.wasm', 'b/net.wasm'].map((name) => programOf(readFileSync(path(name))));
    assert.equal(b, a);
  }
});

test('a kept table gives the model that it came from', async () => {
  await ok('calibrate', 'net.onnx', '--data', 'x.npy', '-o', 'q.onnx', '--scales', 's.json', '--recover', 'none');
  await ok('calibrate', 'net.onnx', '--scales', 's.json', '-o', 'table.onnx');
  assert.equal(readFileSync(path('table.onnx')), readFileSync(path('q.onnx')));
  await ok('compile', 'q.onnx', '-o', 'a');
  await ok('compile', 'net.onnx', '-o', 'c', '--scales', 's.json');
  const [a, c] = ['a/q.wasm', 'c/net.wasm'].map((name) => programOf(readFileSync(path(name))));
  assert.equal(c, a);
});

test('shards in any order give the bytes of one process, for every algorithm but moving-average', async () => {
  const files = ['2', '3', '1'].map((i) => [`${i}.json`, `${i}/3`] as const);
  for (const [file, shard] of files) await ok('calibrate', 'net.onnx', '--data', 'x.npy', '--shard', shard, '-o', file);
  for (const algorithm of ['minmax', 'percentile', 'kl', 'mse', 'aciq']) {
    const flags = ['--algorithm', algorithm, '-o', 'm.onnx', '--scales'];
    await ok('calibrate', 'net.onnx', ...files.flatMap(([file]) => ['--merge', file]), ...flags, 'merged.json');
    await ok('calibrate', 'net.onnx', '--data', 'x.npy', ...flags, 'whole.json');
    assert.is(text('merged.json'), text('whole.json'));
  }
  await fails(2, /order of the samples/, 'calibrate', 'net.onnx', '--merge', '1.json', '--algorithm', 'moving-average');
  await ok('calibrate', 'net.onnx', '--data', 'x.npy', '--algorithm', 'moving-average', '-o', 'm.onnx');
  await fails(2, /counts once/, 'calibrate', 'net.onnx', '--merge', '1.json', '--merge', '1.json');
  await fails(2, /4\/3/, 'calibrate', 'net.onnx', '--data', 'x.npy', '--shard', '4/3');
});

test('algorithms and scales by op type; per tensor; symmetric', async () => {
  const flags = ['--algorithm', 'percentile,Conv=kl,input=minmax', '--scheme', 's8', '--weights', 'per-tensor'];
  const { out } = await ok('calibrate', 'net.onnx', '--data', 'x.npy', '-o', 'o.onnx', ...flags);
  assert.match(out, /\nx +input +minmax .* i8 s=\S+ zp=0 /);
  assert.match(out, / conv2d +kl /);
  assert.match(out, / concat +percentile /);
  await fails(2, /no recovery "luck"/, 'calibrate', 'net.onnx', '--data', 'x.npy', '--recover', 'luck');
  await fails(2, /no algorithm "best"/, 'calibrate', 'net.onnx', '--data', 'x.npy', '--algorithm', 'best');
  await fails(2, /"conv9" is no op type/, 'calibrate', 'net.onnx', '--data', 'x.npy', '--algorithm', 'kl,conv9=mse');
  await fails(2, /8 bits/, 'calibrate', 'net.onnx', '--data', 'x.npy', '--weight-bits', '4');
  await fails(2, /u8, i8|s8, u8 or auto/, 'calibrate', 'net.onnx', '--data', 'x.npy', '--scheme', 'u4');
});

test('what cannot be calibrated with is refused, with names, and nothing is written', async () => {
  const into = ['-o', 'none/none.onnx'];
  await fails(2, /--data says which samples/, 'calibrate', 'net.onnx', ...into);
  await fails(4, /gone.npy/, 'calibrate', 'net.onnx', '--data', 'gone.npy', ...into);
  await fails(3, /small.npy[\s\S]*\[2, 3, 4, 4\][\s\S]*"x"/, 'calibrate', 'net.onnx', '--data', 'small.npy', ...into);
  await fails(3, /nan.npy[\s\S]*input "x"[\s\S]*not finite/, 'calibrate', 'net.onnx', '--data', 'nan.npy', ...into);
  await fails(3, /conv2d \(0\)[\s\S]*not finite/, 'calibrate', 'net.onnx', '--data', 'huge.npy', ...into);
  await ok('calibrate', 'net.onnx', '--data', 'x.npy', '-o', 'again.onnx');
  await fails(2, /quantized already/, 'calibrate', 'again.onnx', '--data', 'x.npy', ...into);
  writeFileSync(
    path('bad.json'),
    '{"format":"qc-scales","version":1,"values":{"x":{"dtype":"u8","scale":-1,"zeroPoint":0}}}',
  );
  await fails(3, /bad.json[\s\S]*"x" needs a scale/, 'calibrate', 'net.onnx', '--scales', 'bad.json', ...into);
  writeFileSync(
    path('other.json'),
    '{"format":"qc-scales","version":1,"values":{"z":{"dtype":"u8","scale":1,"zeroPoint":0}}}',
  );
  await fails(3, /other.json[\s\S]*named "z"/, 'compile', 'net.onnx', '--scales', 'other.json', ...into);
  await fails(2, /--algorithm goes with --calibrate-with/, 'compile', 'net.onnx', '--algorithm', 'kl', ...into);
  assert.not(existsSync(path('none')));
});

test('samples that are all alike are pointed out', async () => {
  const { err } = await ok('calibrate', 'net.onnx', '--data', 'alike.npy', '-o', 'alike.onnx');
  assert.match(err, /warning: all 3 samples are alike/);
  assert.match(err, /warning: "x" is 1 everywhere/);
});

test.run();
