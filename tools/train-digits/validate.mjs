#!/usr/bin/env node
// Accuracy of the two digits models over the MNIST test images, measured with
// onnxruntime. Its graph optimizations are off: they would replace the
// fake-quantized arithmetic by kernels of its own.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const USAGE = `usage: validate.mjs DATA [MODELS]

  DATA    folder with the MNIST idx files
  MODELS  folder with digits.onnx and digits-fp32.onnx (default: examples/digits)

onnxruntime-node is looked up from the current folder.`;

const MODELS = ['digits-fp32.onnx', 'digits.onnx'];
const PIXELS = 28 * 28;

/** The MNIST test images (n * 784 bytes) and labels. */
async function readTestSplit(folder) {
  const images = await readFile(join(folder, 't10k-images-idx3-ubyte'));
  const labels = await readFile(join(folder, 't10k-labels-idx1-ubyte'));
  return { images: images.subarray(16), labels: labels.subarray(8) };
}

/** The class predicted for each image. */
async function predict(ort, modelPath, images) {
  const session = await ort.InferenceSession.create(modelPath, {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
  });
  const predictions = new Uint8Array(images.length / PIXELS);
  for (let i = 0; i < predictions.length; i++) {
    const pixels = images.subarray(i * PIXELS, (i + 1) * PIXELS);
    const image = new ort.Tensor(
      'float32',
      Float32Array.from(pixels, (p) => p / 255),
      [1, 1, 28, 28],
    );
    const { logits } = await session.run({ image });
    predictions[i] = logits.data.indexOf(Math.max(...logits.data));
  }
  return predictions;
}

const percentEqual = (a, b) =>
  ((100 * a.reduce((count, value, i) => count + (value === b[i]), 0)) / a.length).toFixed(2);

async function main([data, models = 'examples/digits']) {
  if (data === undefined || data === '-h' || data === '--help') {
    console.log(USAGE);
    process.exitCode = data === undefined ? 2 : 0;
    return;
  }
  const ort = createRequire(join(process.cwd(), 'package.json'))('onnxruntime-node');
  const { images, labels } = await readTestSplit(data);
  const predictions = [];
  for (const name of MODELS) {
    predictions.push(await predict(ort, join(models, name), images));
    console.log(`${name}: ${percentEqual(predictions.at(-1), labels)} % of ${labels.length} images`);
  }
  console.log(`same answer from both: ${percentEqual(...predictions)} %`);
}

await main(process.argv.slice(2));
