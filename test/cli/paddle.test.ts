/** Paddle models on the command line, with qc's flags and with those of Paddle's converter. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { npyFromTensor } from '../../src/data/npy.js';
import { combined, encodeParameter, encodeProgram, programOf } from '../support/paddle.js';
import { quantizedNet } from '../support/paddle-nets.js';
import { qc } from './qc.js';

let folder = '';
test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'qc-paddle-'));
  const net = quantizedNet('qat');
  const program = encodeProgram(programOf(net));
  const put = (name: string, data: Uint8Array): void => writeFileSync(join(folder, name), data);
  for (const name of ['net', 'old', 'odd']) mkdirSync(join(folder, name));
  put('net/inference.pdmodel', program);
  put('net/inference.pdiparams', combined(net.parameters ?? {}));
  put('old/__model__', program);
  for (const [name, data] of Object.entries(net.parameters ?? {})) put(`old/${name}`, encodeParameter(data));
  put('odd/program', program);
  put('odd/weights', combined(net.parameters ?? {}));
});
test.after(() => rmSync(folder, { recursive: true }));

test('the command line of the original needs another first word only', async () => {
  const line =
    'compile --quant_model_path net --int8_model_save_path out --ops_to_quantize conv2d --op_ids_to_skip 13 --debug';
  const { code, err } = await qc(line.split(' '), folder);
  assert.is(code, 0, err);
  assert.equal(readdirSync(join(folder, 'out')).sort(), ['net.d.ts', 'net.mjs', 'net.wasm']);
  assert.ok(existsSync(join(folder, 'qc-debug')));
  assert.match(err, /depthwise_conv2d \(\d+\): skipped by id|skipped by id 13|\(\d+\): not selected/);
});

test('folders of every kind, files of any name, several shapes', async () => {
  const shapes = ['--input-shape', 'x=1x3x9x9', '--input-shape', 'x=1x3x12x7'];
  for (const args of [
    ['compile', 'old', '-o', 'a'],
    ['compile', 'odd', '--model-file', 'program', '--params-file', 'weights', '-o', 'b', '--json', ...shapes],
  ]) {
    const { code, out, err } = await qc(args, folder);
    assert.is(code, 0, err);
    if (out)
      assert.equal(
        JSON.parse(out).module.entries.map((e: { export: string }) => e.export),
        ['run', 'run_1'],
      );
  }
  assert.ok(existsSync(join(folder, 'a/old.wasm')) && existsSync(join(folder, 'b/odd.wasm')));
});

test('an empty list of ops to quantize means all, as in the original', async () => {
  const [all, empty] = await Promise.all(
    [[], ['--ops_to_quantize', '']].map((list) =>
      qc(['compile', 'net', '-o', `e${list.length}`, '--json', ...list], folder),
    ),
  );
  const products = (out: string) =>
    JSON.parse(out).module.ops.map((op: { type: string; int8: boolean }) => [op.type, op.int8]);
  assert.is(empty?.code, 0, empty?.err);
  assert.equal(products(empty?.out ?? ''), products(all?.out ?? ''));
});

test('qc run takes the entry that the data fits', async () => {
  const shapes = ['--input-shape', 'x=1x3x9x9', '--input-shape', 'x=1x3x12x7'];
  assert.is((await qc(['compile', 'net', '-o', 'several', ...shapes], folder)).code, 0);
  assert.is((await qc(['compile', 'net', '-o', 'one', '--input-shape', 'x=1x3x12x7'], folder)).code, 0);
  const write = (name: string, shape: readonly number[]): void => {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i));
    writeFileSync(join(folder, name), npyFromTensor({ type: { dtype: 'f32', shape }, data }));
  };
  write('fits.npy', [1, 3, 12, 7]);
  write('odd.npy', [1, 3, 5, 5]);
  for (const name of ['several', 'one']) {
    const { code, err } = await qc(['run', `${name}/net.wasm`, '-i', 'fits.npy', '-o', `${name}/y`], folder);
    assert.is(code, 0, err);
  }
  const [several, one] = ['several', 'one'].map((name) => readFileSync(join(folder, name, 'y/output_0.npy')));
  assert.equal(several, one);
  const none = await qc(['run', 'several/net.wasm', '-i', 'odd.npy', '-o', 'none'], folder);
  assert.is(none.code, 3);
  assert.match(none.err, /fits no entry[\s\S]*9[\s\S]*12/);
});

test('qc inspect names the source of every scale; damage has exit code 3', async () => {
  const { code, out } = await qc(['inspect', 'net/inference.pdmodel'], folder);
  assert.is(code, 0);
  assert.match(out, /scale: fake_quantize_dequantize_moving_average_abs_max \(\d+\)/);
  assert.match(out, /weights: fake_channel_wise_quantize_dequantize_abs_max \(\d+\)/);
  writeFileSync(join(folder, 'odd/weights'), new Uint8Array(40));
  const bad = await qc(['compile', 'odd', '--model-file', 'program', '--params-file', 'weights'], folder);
  assert.is(bad.code, 3);
  assert.match(bad.err, /parameter "b"/);
});

test.run();
