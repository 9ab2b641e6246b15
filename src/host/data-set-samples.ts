import { existsSync } from 'node:fs';
import { checkHeader, type DataSet, type DataSetHeader, readDataSet } from '../data/data-set.js';
import { pictureTensors } from '../data/image/picture-tensor.js';
import type { Pixels } from '../data/image/pixels.js';
import { imageTensor, type Preprocessing, resolvePreprocessing } from '../data/image/preprocess.js';
import type { Sample, SampleSource } from '../data/sample.js';
import type { Tensor } from '../ir/tensor.js';
import { modelError, usageError } from '../support/errors.js';
import { readFile } from './files.js';
import type { SampleOptions } from './open-samples.js';
import { pictureInput } from './picture-samples.js';
import { openRandomAccess } from './random-access.js';

/** Options of pictures that mean nothing once they are made. */
const MADE = ['resize', 'crop', 'fit', 'interpolation'] as const;

/** The path of the description that `qc preprocess` writes beside an f32 file. */
export const headerPath = (file: string): string => `${file}.json`;

/** The description beside an f32 file, if there is one. */
function readBeside(file: string): DataSetHeader | undefined {
  const path = headerPath(file);
  if (!existsSync(path)) return undefined;
  try {
    return checkHeader(JSON.parse(new TextDecoder().decode(readFile(path))), path);
  } catch (cause) {
    if (cause instanceof SyntaxError)
      throw modelError('the description of the data set is damaged', { file: path, cause });
    throw cause;
  }
}

/** How the pictures of a data set become tensors. Throws where flags say what was decided when the file was made. */
function preprocessing(file: string, { inputs, image = {} }: SampleOptions): Preprocessing {
  const made = MADE.find((name) => image[name] !== undefined);
  if (made) throw usageError(`--${made} does not go with ${file}: its pictures have their size already`);
  return resolvePreprocessing(pictureInput(inputs), image);
}

/** Float planes as the tensor that the network takes. */
function floatTensor(planes: Float32Array, { size, layout, order, batched }: Preprocessing): Tensor {
  const { height, width } = size;
  const plane = height * width;
  const dims = layout === 'nchw' ? [3, height, width] : [height, width, 3];
  const data = layout === 'nchw' && order === 'rgb' ? planes : new Float32Array(planes.length);
  const [pixelStep, channelStep] = layout === 'nchw' ? [1, plane] : [3, 1];
  if (data !== planes)
    for (let c = 0; c < 3; c++)
      for (let i = 0, from = (order === 'bgr' ? 2 - c : c) * plane; i < plane; i++)
        data[i * pixelStep + c * channelStep] = planes[from + i] as number;
  return { type: { dtype: 'f32', shape: batched ? [1, ...dims] : dims }, data };
}

/** The planes of a picture as pixels; float ones by undoing the normalization, or stretched to 0..255 where it is unknown. */
function pixelsOf({ header, size: { width, height }, picture }: DataSet, index: number): Pixels {
  const planes = picture(index);
  const plane = width * height;
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of planes) [low, high] = [Math.min(low, v), Math.max(high, v)];
  const byte = (v: number, c: number): number => {
    if (planes instanceof Uint8Array) return v;
    if (!header) return high > low ? ((v - low) / (high - low)) * 255 : 0;
    return ((v * (header.std[c] as number) + (header.mean[c] as number)) * 255) / header.range;
  };
  const data = Uint8ClampedArray.from({ length: 3 * plane }, (_, i) =>
    byte(planes[(i % 3) * plane + Math.floor(i / 3)] as number, i % 3),
  );
  return { width, height, data: new Uint8Array(data.buffer) };
}

/** The samples of a data set for an input, with a tensor for each picture. */
function sourceOf(file: string, set: DataSet, input: string, tensorAt: (i: number) => Tensor): SampleSource {
  const { header, count, labels, dtype } = set;
  return {
    length: count,
    description: `${count} pictures of ${file} (${dtype}${header ? `, decoded by ${header.decoder}` : ''})`,
    picture: async (i) => pixelsOf(set, i),
    label: (i) => labels[i],
    async *samples(from = 0, to = count) {
      for (let i = from; i < to; i++) {
        const name = header?.names[i] ?? `${file}[${i}]`;
        const tensors = [{ name: input, tensor: tensorAt(i) }];
        yield { index: i, name, tensors, label: labels[i] as number } satisfies Sample;
      }
    },
  };
}

/** The pictures of a data set as they are, for a module that takes pixels. */
function openWholePictures(file: string, { inputs, image }: SampleOptions): SampleSource {
  const input = pictureInput(inputs);
  const { make } = pictureTensors(input, image);
  const set = readDataSet(file, openRandomAccess(file));
  if (set.dtype !== 'u8')
    throw modelError('it holds normalized pictures, but the module takes pixels', {
      file,
      remedy: 'Make it with --dtype u8, or give the folder of pictures.',
    });
  return sourceOf(file, set, input.name, (i) => make(pixelsOf(set, i)));
}

/** Samples from a file that `qc preprocess` or Paddle's script wrote. */
export function openDataSet(file: string, options: SampleOptions): SampleSource {
  if (options.inputs?.[0]?.image) return openWholePictures(file, options);
  const how = preprocessing(file, options);
  const set = readDataSet(file, openRandomAccess(file), how.size, readBeside(file));
  const { header, dtype } = set;
  const { mean, std, range } = options.image ?? {};
  if (how.channels !== 3) throw modelError('its pictures have 3 channels, the network takes 1', { file });
  if (dtype === 'f32' && how.dtype !== 'f32')
    throw modelError(`it holds float32, the network takes ${how.dtype}`, { file, remedy: 'Make it with --dtype u8.' });
  if (dtype === 'f32' && (mean || std || range))
    throw usageError(`--mean, --std and --range do not go with ${file}: it is normalized already`);
  const own = header && !mean && !std && !range ? { range: header.range, mean: header.mean, std: header.std } : {};
  const bytesHow =
    how.dtype === 'f32' ? resolvePreprocessing(pictureInput(options.inputs), { ...options.image, ...own }) : how;
  const tensorAt = (i: number): Tensor =>
    dtype === 'f32' ? floatTensor(set.picture(i) as Float32Array, how) : imageTensor(pixelsOf(set, i), bytesHow);
  return sourceOf(file, set, pictureInput(options.inputs).name, tensorAt);
}
