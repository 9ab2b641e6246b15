/** Paddle models on the command line, with qc's flags and with those of Paddle's converter. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
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
