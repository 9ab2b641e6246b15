/** qc diff, qc compare and the forms of --debug, as a user runs them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { npyFromTensor } from '../../src/data/npy.js';
import { f32 } from '../../src/ir/tensor.js';
import { qc, TINY } from './qc.js';

const folder = mkdtempSync(join(tmpdir(), 'qc-diff-'));
writeFileSync(join(folder, 'tiny.onnx'), TINY);
writeFileSync(join(folder, 'x.npy'), npyFromTensor(f32([1, 1, 2, 2], [0.25, -0.5, 1, 3])));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

async function ok(...args: string[]): Promise<{ out: string; err: string }> {
  const { code, out, err } = await qc(args, folder);
  assert.is(code, 0, `qc ${args.join(' ')}: ${err}`);
  return { out, err };
}

test('diff: passes, flags and modules', async () => {
  const passes = await ok('diff', 'tiny.onnx', '--passes', 'fuse-activation');
  assert.match(
    passes.out,
    /^\d+ fuse-conv-add -> \d+ fuse-activation: 1 changed, 0 added, 1 removed\n- relu \(4\): fused into/,
  );
  const json = JSON.parse((await ok('diff', 'tiny.onnx', '--passes', 'import,partition', '--json')).out);
  assert.is(json.before, '0 import');
  assert.ok(json.graph.removed.some((node: { id: number }) => node.id === 4));
  await ok('compile', 'tiny.onnx', '-o', 'a');
  await ok('compile', 'tiny.onnx', '--op-ids-to-skip', '3', '-o', 'b');
  const modules = await ok('diff', 'a/tiny.wasm', 'b/tiny.wasm');
  assert.match(modules.out, /^conv2d \(3\) computes in: int8 -> float: skipped by id 3$/m);
  const flags = await ok('diff', 'tiny.onnx', '--against=--op-ids-to-skip 3');
  assert.match(flags.out, /conv2d \(3\) computes in: int8 -> float: skipped by id 3/);
  assert.match(flags.out, /^~ conv2d \(3\) "first"$/m);
  assert.match((await ok('diff', 'a/tiny.wasm', 'a/tiny.wasm')).out, /the modules say the same/);
  for (const args of [['tiny.onnx'], ['tiny.onnx', '--passes', 'nope'], ['a/tiny.wasm', '--passes', '1']])
    assert.is((await qc(['diff', ...args], folder)).code, 2, args.join(' '));
});

test('compare: every tensor, layers and a page', async () => {
  const { out } = await ok('compare', 'tiny.onnx', '--data', 'x.npy', '--report', 'errors.html');
  assert.match(out, /^ 3 {2}conv2d +int8 +[\d.]+ dB/m);
  assert.match(out, /^outputs +[\d.]+ dB against float, over 1 samples$/m);
  const page = readFileSync(join(folder, 'errors.html'), 'utf8');
  assert.match(page, /"title":"error against float"/);
  assert.not.match(page, /https?:\/\/(?!www\.w3\.org)/);
  const json = JSON.parse((await ok('compare', 'tiny.onnx', '--data', 'x.npy', '--sensitivity', '0', '--json')).out);
  assert.is(json.samples, 1);
  assert.equal(json.sensitivity, []);
  assert.is((await qc(['compare', 'tiny.onnx'], folder)).code, 2);
  assert.is((await qc(['compare', 'tiny.onnx', '--data', 'none'], folder)).code, 4);
});

test('graphs as dot, svg and one page; --verify', async () => {
  await ok('compile', 'tiny.onnx', '-o', 'c', '--debug', 'graphs', '--debug-format', 'svg,html', '--verify');
  const files = readdirSync(join(folder, 'graphs')).sort();
  assert.is(files.at(-1), 'explorer.html');
  assert.match(readFileSync(join(folder, 'graphs/explorer.html'), 'utf8'), /<title>tiny: graph<\/title>/);
  assert.ok(files.some((f) => /^\d\d_quantize_placement\.svg$/.test(f)) && !files.some((f) => f.endsWith('.dot')));
  assert.match(
    readFileSync(join(folder, 'graphs', files.find((f) => f.includes('quantize_placement')) ?? ''), 'utf8'),
    /^<svg [\s\S]*conv2d <tspan/,
  );
  assert.is((await qc(['compile', 'tiny.onnx', '--debug-format', 'png'], folder)).code, 2);
});

test.run();
