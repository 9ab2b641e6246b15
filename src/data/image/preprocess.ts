import { allocate, type Tensor } from '../../ir/tensor.js';
import type { DType } from '../../ir/type.js';
import { modelError, usageError } from '../../support/errors.js';
import { crop, type Pixels } from './pixels.js';
import { type Interpolation, resize } from './resize.js';

/** A size in pixels. */
export interface Size {
  readonly height: number;
  readonly width: number;
}

/**
 * How a picture gets the network's size.
 * cover: its short side becomes `resize`, then the centre is cut out, as for ImageNet.
 * stretch: resized to exactly the size. contain: as large as fits, the rest is padded with zeros at right and bottom.
 * line: the height becomes the size's, the width what keeps the shape but not more than the size's; padded at right.
 */
export type Fit = 'cover' | 'stretch' | 'contain' | 'line';

/** The names of all fits. */
export const FITS: readonly Fit[] = ['cover', 'stretch', 'contain', 'line'];

/** What can be said about preprocessing; the network's input decides the rest. */
export interface ImageOptions {
  /** The short side after resizing (cover); the size of the crop where absent. */
  readonly resize?: number;
  /** The size that the network gets, where its input leaves it open. */
  readonly crop?: Size;
  readonly fit?: Fit;
  readonly interpolation?: Interpolation;
  /** What the value 255 becomes before mean and std: 1 (default) or 255. */
  readonly range?: 1 | 255;
  /** Per channel in the order of the tensor, or one for all; in units of `range`. */
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly layout?: 'nchw' | 'nhwc';
  readonly order?: 'rgb' | 'bgr' | 'gray';
}

/** Everything decided: how a picture becomes one tensor. */
export interface Preprocessing extends Required<Omit<ImageOptions, 'crop'>> {
  readonly size: Size;
  readonly channels: 1 | 3;
  readonly dtype: 'f32' | 'u8' | 'i8';
  /** Whether the tensor has a first dimension of 1. */
  readonly batched: boolean;
}

const IMAGENET_MEAN = [0.485, 0.456, 0.406];
const IMAGENET_STD = [0.229, 0.224, 0.225];

/** What an input says about pictures: where its channels are and how large it is. */
function readShape(shape: readonly number[], layout: ImageOptions['layout'], name: string) {
  const dims = shape.length === 4 ? shape.slice(1) : shape;
  const [a, b, c] = dims as [number, number, number];
  const isChannels = (d: number): boolean => d === 1 || d === 3;
  const found = layout ?? (isChannels(a) ? 'nchw' : isChannels(c) ? 'nhwc' : undefined);
  const [channels, height, width] = found === 'nhwc' ? [c, a, b] : [a, b, c];
  if (dims.length !== 3 || found === undefined || !isChannels(channels))
    throw modelError(`input "${name}" of shape [${shape}] takes no pictures: it needs 1 or 3 channels`, {
      remedy: 'Give the samples as .npy, .npz or .pb files.',
    });
  return { layout: found, channels: channels as 1 | 3, size: { height, width }, batched: shape.length === 4 };
}

/** One value per channel. */
function perChannel(name: string, values: readonly number[], channels: number): readonly number[] {
  if (values.length === channels) return values;
  if (values.length === 1) return new Array<number>(channels).fill(values[0] as number);
  throw usageError(`${name} has ${values.length} values for ${channels} channel${channels > 1 ? 's' : ''}`);
}

function checkValues(options: ImageOptions): void {
  const { mean, std, range = 1, resize: short, crop: size, fit } = options;
  if (std?.some((v) => !(v > 0) || !Number.isFinite(v))) throw usageError(`std must be positive, not ${std}`);
  if (mean?.some((v) => !Number.isFinite(v))) throw usageError(`mean must be numbers, not ${mean}`);
  if (range === 1 && (mean?.some((v) => Math.abs(v) > 4) || std?.some((v) => v > 4)))
    throw usageError(
      `mean ${mean ?? ''} and std ${std ?? ''} look like units of 0..255, but pixels are scaled to 0..1`,
      {
        remedy: 'Give --range 255 with them, or divide both by 255.',
      },
    );
  if (short !== undefined && fit !== undefined && fit !== 'cover')
    throw usageError(`resizing the short side to ${short} goes with fit cover, not ${fit}`);
  if (short !== undefined && size && short < Math.max(size.height, size.width))
    throw usageError(`a crop of ${size.height}x${size.width} does not fit into a short side of ${short}`);
}

/**
 * Decides the preprocessing for an input (dtype, shape with 1 or 3 channels). Without mean and std, float inputs of
 * three channels get ImageNet's, of one channel 0 and 1; integer inputs get the pixels (u8) or pixels - 128 (i8).
 * Throws usage errors for options, model errors for an input that takes no pictures.
 */
export function resolvePreprocessing(
  input: { readonly name: string; readonly dtype: DType; readonly shape: readonly number[] },
  options: ImageOptions = {},
): Preprocessing {
  const { layout, channels, size, batched } = readShape(input.shape, options.layout, input.name);
  const wanted = options.crop ?? size;
  checkValues({ ...options, crop: wanted });
  if (wanted.height !== size.height || wanted.width !== size.width)
    throw usageError(
      `pictures of ${wanted.height}x${wanted.width} do not fit input "${input.name}" of shape [${input.shape}]`,
    );
  if (input.dtype !== 'f32' && input.dtype !== 'u8' && input.dtype !== 'i8')
    throw modelError(`input "${input.name}" of type ${input.dtype} takes no pictures`);
  const order = options.order ?? (channels === 1 ? 'gray' : 'rgb');
  if ((order === 'gray') !== (channels === 1))
    throw usageError(
      `order ${order} does not fit the ${channels} channel${channels > 1 ? 's' : ''} of "${input.name}"`,
    );
  if (input.dtype !== 'f32' && (options.mean || options.std))
    throw usageError(`input "${input.name}" takes ${input.dtype}: mean and std go with float inputs`);
  const plain = channels === 1 || options.range === 255 || options.mean || options.std;
  return {
    size,
    channels,
    layout,
    order,
    batched,
    dtype: input.dtype,
    resize: options.resize ?? Math.max(size.height, size.width),
    fit: options.fit ?? 'cover',
    interpolation: options.interpolation ?? 'lanczos',
    range: options.range ?? 1,
    mean: perChannel('mean', options.mean ?? (plain ? [0] : IMAGENET_MEAN), channels),
    std: perChannel('std', options.std ?? (plain ? [1] : IMAGENET_STD), channels),
  };
}

/** Python's round: halves to even. */
function roundHalfEven(v: number): number {
  const floor = Math.floor(v);
  return v - floor === 0.5 ? floor + (floor % 2) : Math.round(v);
}

/** The size of a picture before it is cropped or padded. */
function resizedSize({ width, height }: Pixels, { fit, size, resize: short }: Preprocessing): Size {
  if (fit === 'stretch') return size;
  if (fit === 'line')
    return { height: size.height, width: Math.min(size.width, Math.ceil((size.height * width) / height)) };
  if (fit === 'contain') {
    const scale = Math.min(size.width / width, size.height / height);
    const side = (length: number, most: number): number => Math.max(1, Math.min(most, Math.round(length * scale)));
    return { height: side(height, size.height), width: side(width, size.width) };
  }
  // A target that is not square is covered by the larger of the two scales.
  const square = size.width === size.height || short > Math.max(size.height, size.width);
  const scale = square ? short / Math.min(width, height) : Math.max(size.width / width, size.height / height);
  return {
    height: Math.max(roundHalfEven(height * scale), size.height),
    width: Math.max(roundHalfEven(width * scale), size.width),
  };
}

/** Resizes and crops a picture; with fit contain and line it may be smaller than the size afterwards. */
export function fitPixels(pixels: Pixels, how: Preprocessing): Pixels {
  const { width, height } = resizedSize(pixels, how);
  const resized = resize(pixels, width, height, how.interpolation);
  if (how.fit !== 'cover') return resized;
  const [left, top] = [roundHalfEven((width - how.size.width) / 2), roundHalfEven((height - how.size.height) / 2)];
  return crop(resized, left, top, how.size.width, how.size.height);
}

/** What one byte of each channel becomes: ((p / 255) - mean) / std, each step rounded to float32 as NumPy does in place. */
export function byteTables({ dtype, range, mean, std }: Preprocessing): Float32Array[] {
  return mean.map((m, c) =>
    Float32Array.from({ length: 256 }, (_, p) => {
      if (dtype !== 'f32') return dtype === 'u8' ? p : p - 128;
      const scaled = range === 255 ? p : Math.fround(p / 255);
      return Math.fround(Math.fround(scaled - m) / (std[c] as number));
    }),
  );
}

/** The luminance of RGB (ITU-R 601-2) in Pillow's fixed point. */
const luminance = (r: number, g: number, b: number): number => (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16;

/** Writes a fitted picture into elements of the network's layout; what it does not cover keeps its zeros. */
function writeElements(
  { width, height, data }: Pixels,
  how: Preprocessing,
  out: Float32Array | Uint8Array | Int8Array,
): void {
  const { size, channels, layout, order } = how;
  const lookup = byteTables(how);
  const [pixelStep, channelStep] = layout === 'nchw' ? [1, size.height * size.width] : [channels, 1];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * 3;
      const to = (y * size.width + x) * pixelStep;
      const [r, g, b] = [data[from] as number, data[from + 1] as number, data[from + 2] as number];
      if (channels === 1) {
        out[to] = (lookup[0] as Float32Array)[luminance(r, g, b)] as number;
        continue;
      }
      const [first, last] = order === 'bgr' ? [b, r] : [r, b];
      out[to] = (lookup[0] as Float32Array)[first] as number;
      out[to + channelStep] = (lookup[1] as Float32Array)[g] as number;
      out[to + 2 * channelStep] = (lookup[2] as Float32Array)[last] as number;
    }
}

/** A picture as the tensor that the network takes. */
export function imageTensor(pixels: Pixels, how: Preprocessing): Tensor {
  const { size, channels, layout, dtype, batched } = how;
  const { height, width } = size;
  const dims = layout === 'nchw' ? [channels, height, width] : [height, width, channels];
  const data = allocate(dtype, channels * height * width);
  writeElements(fitPixels(pixels, how), how, data);
  return { type: { dtype, shape: batched ? [1, ...dims] : dims }, data };
}
