/**
 * Compiles the digit model and runs it over the 10,000 MNIST test images: accuracy and speed of the float model, the
 * fake-quantized one (what training computed) and the int8 module, and the sizes of what a page would load.
 */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type CompileOptions, compile } from 'qc-compiler';
import { type Digits, drawDigit, loadTestDigits } from './mnist.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const out = join(here, 'out');

/** What the emitted loader gives; NAME.d.ts has the exact types. */
interface Net {
  run(inputs: Record<string, Float32Array>): Record<string, Float32Array>;
}

interface Variant {
  readonly title: string;
  readonly model: string;
  readonly name: string;
  readonly options: CompileOptions;
}

const VARIANTS: readonly Variant[] = [
  { title: 'FP32', model: 'digits-fp32.onnx', name: 'digits-fp32', options: { precision: 'fp32' } },
  { title: 'fake-quantized', model: 'digits.onnx', name: 'digits-fake', options: { precision: 'fake-quantized' } },
  { title: 'INT8', model: 'digits.onnx', name: 'digits', options: {} },
];

/** Compiles a variant into out/ and loads the module the way an application does. */
async function build(variant: Variant): Promise<Net> {
  const model = readFileSync(join(here, variant.model));
  const result = await compile(model, { ...variant.options, name: variant.name, file: variant.model });
  mkdirSync(out, { recursive: true });
  for (const file of result.files) writeFileSync(join(out, file.name), file.data);
  const emitted = (await import(pathToFileURL(join(out, `${variant.name}.mjs`)).href)) as { load(): Promise<Net> };
  return emitted.load();
}

const argmax = (values: Float32Array): number =>
  values.reduce((best, v, i) => (v > (values[best] as number) ? i : best), 0);

/** Runs all images; the first pass warms the engine up, the second is timed. */
function evaluate(net: Net, digits: Digits): { predictions: number[]; perSecond: number } {
  const image = new Float32Array(28 * 28);
  const predict = (i: number): number => {
    digits.pixels(i).forEach((p, k) => {
      image[k] = p / 255;
    });
    return argmax(net.run({ image }).logits as Float32Array);
  };
  for (let i = 0; i < 2000; i++) predict(i);
  const start = performance.now();
  const predictions = Array.from({ length: digits.count }, (_, i) => predict(i));
  return { predictions, perSecond: (1000 * digits.count) / (performance.now() - start) };
}

const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;

/** One line per file: raw and compressed size. */
function sizeTable(): string[] {
  const files = [
    ['model (ONNX, fake-quantized)', join(here, 'digits.onnx')],
    ['digits.wasm', join(out, 'digits.wasm')],
    ['digits.mjs', join(out, 'digits.mjs')],
  ] as const;
  return files.map(([title, path]) => {
    const gzip = gzipSync(readFileSync(path)).length;
    return `  ${title.padEnd(30)} ${kilobytes(statSync(path).size).padStart(10)}   gzip ${kilobytes(gzip).padStart(9)}`;
  });
}

async function main(): Promise<void> {
  const digits = loadTestDigits();
  console.log(`${digits.count} MNIST test images, one thread\n`);
  console.log('                    accuracy     images/s');
  const results = new Map<string, { predictions: number[]; perSecond: number }>();
  for (const variant of VARIANTS) {
    const result = evaluate(await build(variant), digits);
    results.set(variant.title, result);
    const right = result.predictions.filter((p, i) => p === digits.label(i)).length;
    const accuracy = `${((100 * right) / digits.count).toFixed(2)} %`;
    console.log(
      `  ${variant.title.padEnd(16)} ${accuracy.padStart(9)} ${Math.round(result.perSecond).toString().padStart(12)}`,
    );
  }
  const [float, int8] = ['FP32', 'INT8'].map((t) => results.get(t)) as [
    { perSecond: number },
    { perSecond: number; predictions: number[] },
  ];
  console.log(`\n  INT8 is ${(int8.perSecond / float.perSecond).toFixed(2)} times as fast as FP32.\n`);
  console.log(sizeTable().join('\n'));
  const shown = digits.count - 1 - (((Date.now() / 1000) % 1000) | 0);
  console.log(
    `\n${drawDigit(digits.pixels(shown))}\n\n  predicted ${int8.predictions[shown]}, labelled ${digits.label(shown)}`,
  );
}

await main();
