import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';
import { type ImageOptions, imageTensor, resolvePreprocessing } from '../data/image/preprocess.js';
import { type ListedFile, parseLabelList } from '../data/label-list.js';
import type { BadSample, Sample, SampleInput, SampleSource } from '../data/sample.js';
import { modelError, QcError, usageError } from '../support/errors.js';
import { type DecoderOptions, openDecoder } from './decode-image.js';
import { readFile } from './files.js';
import { selectSamples } from './select-samples.js';
import { openTensorFiles, TENSOR_FILES } from './tensor-samples.js';

/** How samples are opened. Everything but `onBad` can be sent to another thread. */
export interface SampleOptions extends DecoderOptions {
  /** The inputs of the network that takes the samples; pictures need them, arrays are split into samples by them. */
  readonly inputs?: readonly SampleInput[];
  readonly image?: ImageOptions;
  /** A list file: `path label` a line, paths relative to the data or to the list. */
  readonly labelList?: string;
  /** At most so many samples: the first ones, or with a seed a random choice in the order of the source. */
  readonly samples?: number;
  readonly seed?: number;
  /** Leaves out samples that cannot be read, and tells `onBad` of each; otherwise the first one is an error. */
  readonly skipBad?: boolean;
  readonly onBad?: (bad: BadSample) => void;
}

const IMAGE_FILES = /\.(jpe?g|png|webp|gif|bmp|tiff?|avif|heic|jfif)$/i;

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** All files below a folder whose names match, as relative paths in bytewise order; a folder named like a file counts. */
function findFiles(folder: string, pattern: RegExp): string[] {
  const walk = (path: string): string[] =>
    readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
      const child = join(path, entry.name);
      if (pattern.test(entry.name)) return [relative(folder, child)];
      return entry.isDirectory() ? walk(child) : [];
    });
  const compare = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
  return walk(folder).sort(compare);
}

/** The list file of a source: the one named, or val_list.txt in the folder, as the ImageNet scripts have it. */
function listOf(path: string, labelList: string | undefined): string | undefined {
  if (labelList !== undefined) return labelList;
  const usual = join(path, 'val_list.txt');
  return isFolder(path) && existsSync(usual) ? usual : undefined;
}

/** The files that a list names, with paths that exist: below the data's folder, or beside the list. */
function listedFiles(list: string, folder: string): ListedFile[] {
  const text = new TextDecoder().decode(readFile(list));
  const places = [folder, dirname(list), join(folder, 'val')];
  return parseLabelList(text, list).map(({ path, label }) => {
    const found = places.map((place) => join(place, path)).find((candidate) => existsSync(candidate));
    return { path: found ?? join(folder, path), ...(label === undefined ? {} : { label }) };
  });
}

/** An error as the reason why a sample is bad; errors of qc itself go on. */
function reasonOf(error: unknown): string {
  if (error instanceof QcError && error.kind !== 'internal')
    return [error.message, error.where.remedy].filter(Boolean).join('; ');
  throw error;
}

/** Samples made from pictures. */
async function openPictures(files: readonly ListedFile[], what: string, options: SampleOptions): Promise<SampleSource> {
  const { inputs, image, skipBad, onBad } = options;
  const [input] = inputs ?? [];
  if (!input) throw usageError('pictures need a network that takes them');
  if (inputs && inputs.length > 2) throw usageError(`pictures are for one input, the network has ${inputs.length}`);
  const how = resolvePreprocessing(input, image);
  const decoder = await openDecoder(options);
  const read = async ({ path, label }: ListedFile, index: number): Promise<Sample> => {
    if (isFolder(path)) throw modelError('it is a folder with the name of a picture', { file: path });
    try {
      const tensor = imageTensor(await decoder.decode(readFile(path)), how);
      return { index, name: path, tensors: [{ name: input.name, tensor }], ...(label === undefined ? {} : { label }) };
    } catch (error) {
      if (!(error instanceof QcError)) throw error;
      throw new QcError(error.kind, error.message, {
        file: path,
        remedy: '--skip-bad leaves such samples out.',
        ...error.where,
      });
    }
  };
  return {
    length: files.length,
    description: `${what}, decoded by ${decoder.name}, ${how.interpolation} ${how.size.height}x${how.size.width}`,
    picture: (index) => files[index]?.path,
    label: (index) => files[index]?.label,
    async *samples(from = 0, to = files.length) {
      for (let i = from; i < to; i++)
        try {
          yield await read(files[i] as ListedFile, i);
        } catch (error) {
          if (!skipBad) throw error;
          onBad?.({ index: i, name: (files[i] as ListedFile).path, reason: reasonOf(error) });
        }
    },
  };
}

/** Opens what a path names, without choosing among the samples. */
async function openAll(path: string, options: SampleOptions): Promise<SampleSource> {
  if (!existsSync(path)) readFile(path);
  const folder = isFolder(path);
  const list = /\.txt$/i.test(path) && !folder ? path : listOf(path, options.labelList);
  if (list !== undefined && (folder || list === path)) {
    const files = listedFiles(list, folder ? path : dirname(path));
    return openPictures(files, `${files.length} pictures of ${list}`, options);
  }
  if (!folder) {
    if (IMAGE_FILES.test(path)) return openPictures([{ path }], path, options);
    if (TENSOR_FILES.test(path)) return openTensorFiles([path], path, options);
    throw modelError(`samples are not read from ${extname(path) || 'such'} files`, {
      file: path,
      remedy: 'Give a folder of pictures, a list file (.txt), or a .npy, .npz or .pb file.',
    });
  }
  const pictures = findFiles(path, IMAGE_FILES).map((name) => join(path, name));
  const arrays = findFiles(path, TENSOR_FILES).map((name) => join(path, name));
  if (arrays.length > 0 && pictures.length > 0)
    throw usageError(`${path} holds pictures and arrays; samples are one or the other`);
  if (arrays.length > 0) return openTensorFiles(arrays, `${arrays.length} files of ${path}`, options);
  if (pictures.length > 0)
    return openPictures(
      pictures.map((file) => ({ path: file })),
      `${pictures.length} pictures of ${path}`,
      options,
    );
  throw modelError('the folder holds no samples', {
    file: path,
    remedy: 'Samples are pictures (JPEG, PNG; more with sharp), .npy, .npz or .pb files, also in folders below.',
  });
}

/**
 * Opens samples: a folder of pictures (with val_list.txt, or all below it), a list file, a single picture, .npy, .npz
 * or .pb files or a folder of them. Throws QcErrors that name the file: model for what is in it, io where it cannot
 * be read, usage for options that do not fit.
 */
export async function openSamples(path: string, options: SampleOptions = {}): Promise<SampleSource> {
  const source = await openAll(path, options);
  return selectSamples(source, options.samples, options.seed);
}
