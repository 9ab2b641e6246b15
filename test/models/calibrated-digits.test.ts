/** The digit model's float twin, calibrated on training images, over all test images. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadTestDigits, loadTrainingDigits } from '../../examples/digits/mnist.js';
import { compile } from '../../src/compile.js';
import type { CompileOptions } from '../../src/options.js';
import { createLoader } from '../../src/runtime/loader.js';
import { calibrate } from '../../src/tasks/calibrate/run.js';
import { argmax, ROOT } from '../support/models.js';
import { samplesOf } from '../support/samples.js';

const MODEL = readFileSync(join(ROOT, 'examples/digits/digits-fp32.onnx'));
const SAMPLES = 200;
/** Points of accuracy that int8 may lose. */
const POINTS = 0.3;

/** Per cent of the test images that get their label. */
async function accuracy(options: CompileOptions): Promise<number> {
  const { wasm } = await compile(MODEL, options);
  const net = createLoader('digits', () => '').loadSync(wasm as Uint8Array<ArrayBuffer>);
  const digits = loadTestDigits();
  const input = net.input('image') as Float32Array;
  let right = 0;
  for (let i = 0; i < digits.count; i++) {
    digits.pixels(i).forEach((v, at) => {
      input[at] = v / 255;
    });
    net.runInPlace();
    if (argmax(net.output('logits') as Float32Array) === digits.label(i)) right++;
  }
  return (100 * right) / digits.count;
}

test(`the float digit model calibrated on ${SAMPLES} training images is within ${POINTS} points of itself`, async () => {
  const training = loadTrainingDigits();
  const images = Array.from({ length: SAMPLES }, (_, i) => Float32Array.from(training.pixels(i), (v) => v / 255));
  const { calibration } = await calibrate(MODEL, samplesOf([1, 1, 28, 28], images));
  const [float, int8] = [await accuracy({ precision: 'fp32' }), await accuracy({ calibration })];
  console.log(`  float ${float.toFixed(2)} %, int8 ${int8.toFixed(2)} %`);
  assert.ok(float > 99, `float ${float} %`);
  assert.ok(Math.abs(float - int8) <= POINTS, `int8 ${int8} %, float ${float} %`);
});

test.run();
