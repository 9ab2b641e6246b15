/**
 * Compiles every ONNX model of a folder and prints what came out: ops in int8 and float, sizes, times, and how far the
 * outputs are from the reference outputs beside the model (NAME/test_data_set_N).
 *
 *     tsx tools/check-models.ts [FOLDER] [--images] [--runs N]
 *
 * `--images` also classifies the sample images with the models that have a NAME.ref.json.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isConversion } from '../src/describe-ops.js';
import { type CompileResult, compile, QcError } from '../src/index.js';
import type { TensorInfo } from '../src/runtime/abi.js';
import type { Net } from '../src/runtime/loader.js';
import {
  argmax,
  decodeImage,
  imageList,
  imageReferences,
  imageTensor,
  loadCompiled,
  MODELS,
  relativeError,
  resize,
  runNet,
  type TestSet,
  testSets,
} from '../test/support/models.js';

const HEADER = [
  'model',
  'int8',
  'float',
  'model kB',
  'wasm kB',
  'memory kB',
  'compile s',
  'ms/run',
  'against the reference',
];

const kilobytes = (bytes: number): string => (bytes / 1000).toFixed(0);
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** The median time of a run in milliseconds. */
function timeOf(net: Net, runs: number): number {
  const times = Array.from({ length: runs + 3 }, () => {
    const start = performance.now();
    net.runInPlace();
    return performance.now() - start;
  });
  return times.slice(3).sort((a, b) => a - b)[Math.floor(runs / 2)] as number;
}

/** How one set's first output compares: codes that differ where it has a grid, else the relative error. */
function compareSet(net: Net, { inputs, outputs }: TestSet, { scale }: TensorInfo): string {
  const actual = runNet(net, inputs)[0] as Float32Array;
  const expected = outputs[0]?.data as Float32Array;
  if (scale === undefined) return relativeError(actual, expected).toExponential(1);
  const off = Array.from(actual, (v, i) => Math.abs(Math.round((v - (expected[i] as number)) / scale)));
  const differing = off.filter((d) => d > 0).length;
  return differing === 0 ? 'equal' : `${percent(differing / off.length)} off, most ${Math.max(...off)}`;
}

/** Top-1 over the sample images, beside the reference's, and how often both agree. */
function classify(net: Net, name: string): string {
  const { images, size, summary } = imageReferences(name);
  const list = imageList();
  let [correct, agreed] = [0, 0];
  list.forEach(({ file, label }, i) => {
    const index = argmax(runNet(net, [imageTensor(resize(decodeImage(file), 224, size), size)])[0] as Float32Array);
    if (index === label + 1) correct++;
    if (index === images[i]?.argmax) agreed++;
  });
  const n = list.length;
  return `top-1 ${percent(correct / n)} (reference ${percent(summary.top1)}), agreement ${percent(agreed / n)}`;
}

/** The row of one model. */
async function row(folder: string, name: string, options: { images: boolean; runs: number }): Promise<string[]> {
  const bytes = readFileSync(join(folder, `${name}.onnx`));
  const start = performance.now();
  let result: CompileResult;
  try {
    result = await compile(bytes, { name, file: `${name}.onnx` });
  } catch (error) {
    return [name, error instanceof QcError ? (error.format().split('\n')[0] ?? '') : String(error)];
  }
  const seconds = (performance.now() - start) / 1000;
  const { report, wasm } = result;
  const net = await loadCompiled(result);
  const ops = report.ops.filter((op) => !isConversion(op));
  const output = report.entries[0]?.outputs[0] as TensorInfo;
  const found = testSets(name, folder).map((set) => compareSet(net, set, output));
  if (options.images && existsSync(join(folder, `${name}.ref.json`))) found.push(classify(net, name));
  return [
    name,
    `${ops.filter(({ int8 }) => int8).length}`,
    `${ops.filter(({ int8 }) => !int8).length}`,
    kilobytes(bytes.length),
    kilobytes(wasm.length),
    kilobytes(report.memory.bytes),
    seconds.toFixed(2),
    timeOf(net, options.runs).toFixed(2),
    found.join('; ') || 'no test data',
  ];
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { images: { type: 'boolean', default: false }, runs: { type: 'string', default: '15' } },
  });
  const folder = positionals[0] ?? MODELS;
  const names = readdirSync(folder)
    .filter((file) => file.endsWith('.onnx'))
    .map((file) => file.slice(0, -5))
    .sort();
  if (names.length === 0) throw new Error(`no .onnx files in ${folder}`);
  const rows = [HEADER];
  for (const name of names) {
    process.stderr.write(`${name}\n`);
    rows.push(await row(folder, name, { images: values.images, runs: Number(values.runs) }));
  }
  const widths = HEADER.map((_, column) =>
    Math.max(...rows.filter((r) => r.length > 2).map((r) => (r[column] ?? '').length)),
  );
  const last = HEADER.length - 1;
  for (const cells of rows)
    console.log(
      cells
        .map((c, i) =>
          i === 0 || i === last || cells.length === 2
            ? c.padEnd(i === 0 ? (widths[0] ?? 0) : 0)
            : c.padStart(widths[i] ?? 0),
        )
        .join('  '),
    );
}

await main();
