import type { Options } from 'yargs';
import { FITS, type Fit, type ImageOptions, type Size } from '../data/image/preprocess.js';
import { INTERPOLATIONS, type Interpolation } from '../data/image/resize.js';
import type { DecoderChoice } from '../host/decode-image.js';
import type { SampleOptions } from '../host/open-samples.js';
import { usageError } from '../support/errors.js';
import type { Flags } from './command.js';

const value = (describe: string): Options => ({ string: true, requiresArg: true, describe });

/** The entry of a module that was compiled for several shapes. */
export const ENTRY_FLAG: Readonly<Record<string, Options>> = {
  entry: value(
    'Of a module with several: number from 0, or shape such as 1x3x64x64 (default: what the data fits, else 0)',
  ),
};

/** Flags that say how a picture becomes a tensor. */
export const IMAGE_FLAGS: Readonly<Record<string, Options>> = {
  resize: value(
    'Short side of pictures before the centre is cut out, or HxW to stretch them (default: the size itself)',
  ),
  crop: value('Size cut out of the centre, N or HxW (default: what the network takes)'),
  fit: value('cover (default), stretch, contain, or line: how pictures get the size'),
  interpolation: value('lanczos (default), bicubic, triangle, bilinear or nearest'),
  mean: value('One number or one per channel (default: 0.485,0.456,0.406)'),
  std: value('One number or one per channel (default: 0.229,0.224,0.225)'),
  range: value('What 255 becomes before mean and std: 1 (default) or 255'),
  layout: value('nchw or nhwc (default: as the input has it)'),
  order: value('rgb (default), bgr or gray'),
  decoder: value('sharp, js, or auto (default): sharp where it is installed'),
  'ignore-orientation': { boolean: true, describe: 'Do not turn pictures as EXIF says' },
};

/** Flags that say which samples are read. */
export const DATA_FLAGS: Readonly<Record<string, Options>> = {
  data: value('Samples: folder of pictures, list file, .npy, .npz, .pb or data.bin'),
  'label-list': value('File with a line "path label" per picture (default: val_list.txt in the folder)'),
  samples: value('At most so many samples (default: all)'),
  seed: value('Choose the samples at random by this number'),
  'skip-bad': { boolean: true, describe: 'Leave out samples that cannot be read, and count them' },
  ...IMAGE_FLAGS,
};

function oneOf<T extends string>(flags: Flags, name: string, known: readonly T[]): T | undefined {
  const given = flags.required(name);
  if (given === undefined || known.includes(given as T)) return given as T | undefined;
  throw usageError(`--${name} takes ${known.join(', ')}, not "${given}"`);
}

function numbers(flags: Flags, name: string): number[] | undefined {
  const words = flags.words(name);
  const list = words?.map(Number);
  if (list && (list.length === 0 || !list.every(Number.isFinite)))
    throw usageError(`--${name} takes numbers such as 0.5 or 0.485,0.456,0.406, not "${words}"`);
  return list;
}

/** N or HxW. */
function size(flags: Flags, name: string): Size | undefined {
  const text = flags.required(name);
  if (text === undefined) return undefined;
  const match = /^([1-9]\d{0,4})(?:x([1-9]\d{0,4}))?$/.exec(text);
  if (!match) throw usageError(`--${name} takes N or HxW, not "${text}"`);
  return { height: Number(match[1]), width: Number(match[2] ?? match[1]) };
}

/** The preprocessing that the flags ask for. */
export function imageOptions(flags: Flags): ImageOptions {
  const resize = size(flags, 'resize');
  const exact = flags.text('resize')?.includes('x') ?? false;
  const fit = oneOf<Fit>(flags, 'fit', FITS);
  if (exact && fit !== undefined && fit !== 'stretch')
    throw usageError(`--resize HxW stretches, but --fit says ${fit}`);
  const range = oneOf(flags, 'range', ['1', '255']);
  const crop = size(flags, 'crop') ?? (exact ? resize : undefined);
  if (exact && resize && (crop?.height !== resize.height || crop?.width !== resize.width))
    throw usageError('--resize HxW leaves nothing to crop');
  const options = {
    resize: exact ? undefined : resize?.height,
    crop,
    fit: exact ? 'stretch' : fit,
    interpolation: oneOf<Interpolation>(flags, 'interpolation', INTERPOLATIONS),
    range: range && (Number(range) as 1 | 255),
    mean: numbers(flags, 'mean'),
    std: numbers(flags, 'std'),
    layout: oneOf(flags, 'layout', ['nchw', 'nhwc']),
    order: oneOf(flags, 'order', ['rgb', 'bgr', 'gray']),
  };
  return Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined)) as ImageOptions;
}

/** How samples are opened as the flags ask; `inputs` of the network and `onBad` are the command's part. */
export function sampleOptions(flags: Flags): SampleOptions {
  const seed = flags.required('seed');
  if (seed !== undefined && !/^\d{1,9}$/.test(seed)) throw usageError(`--seed takes an integer from 0, not "${seed}"`);
  const options = {
    image: imageOptions(flags),
    labelList: flags.required('label-list'),
    samples: flags.count('samples'),
    seed: seed === undefined ? undefined : Number(seed),
    skipBad: flags.on('skip-bad'),
    decoder: oneOf<DecoderChoice>(flags, 'decoder', ['auto', 'sharp', 'js']),
    ignoreOrientation: flags.on('ignore-orientation'),
  };
  return Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined)) as SampleOptions;
}
