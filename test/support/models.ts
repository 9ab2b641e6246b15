/** The models and images that are shared between checkouts, beside the repo; tests that need them skip without. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { crc32 } from 'node:zlib';
import jpeg from 'jpeg-js';
import type { CompileResult } from '../../src/compile.js';
import { decodeTensorProto } from '../../src/data/pb.js';
import { f32, type Tensor } from '../../src/ir/tensor.js';
import type { Loader, Net } from '../../src/runtime/loader.js';
import { skipUnless } from './skip.js';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Where models and images lie; QC_SHARED names another folder. */
const SHARED = process.env.QC_SHARED ?? join(ROOT, '../shared');
const IMAGES = join(SHARED, 'images/imagenet-sample');

/** The folder of the models. */
export const MODELS = join(SHARED, 'models');

/** The digit classifier of the examples, which every checkout has. */
export const DIGITS = join(ROOT, 'examples/digits/digits.onnx');

/** The quantized models of the folder. */
export const INT8_MODELS = [
  'resnet8_int8',
  'vww_int8',
  'kws_dscnn_int8',
  'mobilenet_v1_0.25_128_qat_u8',
  'mobilenet_v2_qat_u8',
] as const;

/** The float models of the folder. */
export const FLOAT_MODELS = ['resnet8_float', 'vww_float', 'kws_dscnn_float', 'mobilenet_v2_fp32'] as const;

/** Whether the shared models are there; if not, says that `name` is skipped. */
export const hasModels = (name: string): boolean =>
  skipUnless(existsSync(join(MODELS, 'README.md')), name, `no models in ${MODELS}`);

/** Whether models and images are there; if not, says that `name` is skipped. */
export const hasImages = (name: string): boolean =>
  hasModels(name) && skipUnless(existsSync(join(IMAGES, 'val_list.txt')), name, `no images in ${IMAGES}`);

/** The bytes of a shared model by name. */
export const modelBytes = (name: string): Uint8Array => readFileSync(join(MODELS, `${name}.onnx`));

/** One test data set: inputs and the reference's outputs, in the order of the model. */
export interface TestSet {
  readonly name: string;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

/** The test data sets `NAME/test_data_set_N` of a folder of models, in order; sets 0 and 1 are real data. */
export function testSets(name: string, folder = MODELS): TestSet[] {
  const sets = join(folder, name);
  if (!existsSync(sets)) return [];
  const tensors = (set: string, kind: string): Tensor[] =>
    readdirSync(join(sets, set))
      .filter((file) => file.startsWith(`${kind}_`) && file.endsWith('.pb'))
      .sort((a, b) => Number.parseInt(a.slice(kind.length + 1), 10) - Number.parseInt(b.slice(kind.length + 1), 10))
      .map((file) => decodeTensorProto(readFileSync(join(sets, set, file))).tensor);
  return readdirSync(sets)
    .filter((set) => set.startsWith('test_data_set_'))
    .sort()
    .map((set) => ({ name: set, inputs: tensors(set, 'input'), outputs: tensors(set, 'output') }));
}

/** What the reference said of one image; `argmax` is an output index (0 = background), label = index - 1. */
export interface ImageReference {
  readonly file: string;
  readonly label: number;
  readonly argmax: number;
  readonly top5: readonly number[];
  readonly crc32: string;
}

/** NAME.ref.json: the reference's results over the images. */
export interface ImageReferences {
  readonly size: number;
  readonly summary: { readonly images: number; readonly top1: number };
  readonly images: readonly ImageReference[];
}

/** The reference's results of a model over the images. */
export const imageReferences = (name: string): ImageReferences =>
  JSON.parse(readFileSync(join(MODELS, `${name}.ref.json`), 'utf8')) as ImageReferences;

/** The images of val_list.txt in order, with their labels. */
export const imageList = (): { file: string; label: number }[] =>
  readFileSync(join(IMAGES, 'val_list.txt'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' ') as [string, string])
    .map(([file, label]) => ({ file, label: Number(label) }));

/** The pixels of a 224 x 224 image of the list as RGB bytes, HWC, as the references were decoded. */
export function decodeImage(file: string): Uint8Array {
  const { data, width, height } = jpeg.decode(readFileSync(join(IMAGES, file)), {
    useTArray: true,
    formatAsRGBA: false,
  });
  if (width !== 224 || height !== 224) throw new Error(`${file} is ${width} x ${height}`);
  return data;
}

/**
 * Bilinear resize of a square RGB image: half-pixel centres, no antialiasing, edges clamped, floor(v + 0.5).
 * The same size gives the image itself.
 */
export function resize(pixels: Uint8Array, from: number, to: number): Uint8Array {
  if (from === to) return pixels;
  const out = new Uint8Array(to * to * 3);
  const taps = Array.from({ length: to }, (_, i) => {
    const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    const low = Math.floor(at);
    return { low, high: Math.min(low + 1, from - 1), part: at - low };
  });
  const pixel = (y: number, x: number, c: number): number => pixels[(y * from + x) * 3 + c] as number;
  let i = 0;
  for (const y of taps)
    for (const x of taps)
      for (let c = 0; c < 3; c++) {
        const top = pixel(y.low, x.low, c) * (1 - x.part) + pixel(y.low, x.high, c) * x.part;
        const bottom = pixel(y.high, x.low, c) * (1 - x.part) + pixel(y.high, x.high, c) * x.part;
        out[i++] = Math.floor(top * (1 - y.part) + bottom * y.part + 0.5);
      }
  return out;
}

/** The CRC-32 of pixels, as the references hold it. */
export const checksum = (pixels: Uint8Array): string => crc32(pixels).toString(16).padStart(8, '0');

/** RGB bytes, HWC, as a network input [1, 3, size, size]: (pixel - 128) / 128. */
export function imageTensor(pixels: Uint8Array, size: number): Tensor {
  const plane = size * size;
  const data = new Float32Array(3 * plane);
  for (let c = 0; c < 3; c++)
    for (let i = 0; i < plane; i++) data[c * plane + i] = ((pixels[i * 3 + c] as number) - 128) / 128;
  return f32([1, 3, size, size], data);
}

/** The index of the greatest element, the lowest of equal ones. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
}

/** The greatest |a - b| divided by the greatest |b|. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`${a.length} elements compared with ${b.length}`);
  let [error, scale] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    error = Math.max(error, Math.abs((a[i] as number) - (b[i] as number)));
    scale = Math.max(scale, Math.abs(b[i] as number));
    if (Number.isNaN(a[i])) return Number.POSITIVE_INFINITY;
  }
  return error / scale;
}

/** Writes the files of a compiled package into a new folder and loads the network through its own loader. */
export async function loadCompiled({ files }: CompileResult): Promise<Net> {
  const folder = mkdtempSync(join(tmpdir(), 'qc-package-'));
  try {
    for (const { name, data } of files) writeFileSync(join(folder, name), data);
    const entry = files.find(({ name }) => name.endsWith('.mjs'));
    const { load } = (await import(pathToFileURL(join(folder, entry?.name ?? '')).href)) as Loader;
    return await load();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs a network on inputs given in order; float outputs in order. */
export function runNet(net: Net, inputs: readonly Tensor[]): Float32Array[] {
  const outputs = net.run(Object.fromEntries(net.inputs.map(({ name }, i) => [name, inputs[i]?.data as Float32Array])));
  return net.outputs.map(({ name }) => outputs[name] as Float32Array);
}
