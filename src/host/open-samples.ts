import { existsSync } from 'node:fs';
import { basename, dirname, relative } from 'node:path';
import type { ImageOptions } from '../data/image/preprocess.js';
import type { BadSample, SampleInput, SampleSource } from '../data/sample.js';
import { modelError, usageError } from '../support/errors.js';
import { openDataSet } from './data-set-samples.js';
import type { DecoderOptions } from './decode-image.js';
import { readFile } from './files.js';
import { findFiles, isFolder, listedPictures, listFileOf, PICTURE_FILES } from './list-pictures.js';
import { openPictures } from './picture-samples.js';
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

/** Names of the files of a test data set of an ONNX model; pictures beside them are for people. */
const TEST_SET_FILES = /^(in|out)put_\d+\.(npy|pb)$/i;

function openFolder(path: string, options: SampleOptions): Promise<SampleSource> | SampleSource {
  const list = listFileOf(path, options.labelList);
  if (list !== undefined) {
    const files = listedPictures(list, path);
    return openPictures(files, `${files.length} pictures of ${list}`, options);
  }
  const pictures = findFiles(path, PICTURE_FILES);
  const arrays = findFiles(path, TENSOR_FILES);
  const sets = arrays.filter((file) => TEST_SET_FILES.test(basename(file)));
  if (sets.length > 0 && (sets.length === arrays.length || pictures.length > 0))
    return openTensorFiles(sets, `test data sets of ${path}`, options);
  if (arrays.length > 0 && pictures.length > 0)
    throw usageError(`${path} holds pictures and arrays; samples are one or the other`);
  if (arrays.length > 0) return openTensorFiles(arrays, `${arrays.length} files of ${path}`, options);
  if (pictures.length > 0) {
    const files = pictures.map((file) => ({ path: file, name: relative(path, file) }));
    return openPictures(files, `${files.length} pictures of ${path}`, options);
  }
  throw modelError('the folder holds no samples', {
    file: path,
    remedy: 'Samples are pictures (JPEG, PNG; more with sharp), .npy, .npz or .pb files, also in folders below.',
  });
}

/** Opens what a path names, without choosing among the samples. */
function openAll(path: string, options: SampleOptions): Promise<SampleSource> | SampleSource {
  if (!existsSync(path)) readFile(path); // throws with the right words
  if (isFolder(path)) return openFolder(path, options);
  if (options.labelList !== undefined)
    throw usageError(`a list of pictures goes with a folder of them, not with ${path}`, {
      remedy: 'qc eval takes labels of arrays by --labels.',
    });
  if (/\.txt$/i.test(path)) {
    const files = listedPictures(path, dirname(path));
    return openPictures(files, `${files.length} pictures of ${path}`, options);
  }
  if (PICTURE_FILES.test(path)) return openPictures([{ path }], path, options);
  if (TENSOR_FILES.test(path)) return openTensorFiles([path], path, options);
  return openDataSet(path, options);
}

/**
 * Opens samples: a folder of pictures (those of val_list.txt or of the list, or all below it), a list file, a single
 * picture, .npy, .npz or .pb files or a folder of them, or a data set of `qc preprocess`. Throws QcErrors that name the
 * file: model for what is in it, io where it cannot be read, usage for options that do not fit.
 */
export async function openSamples(path: string, options: SampleOptions = {}): Promise<SampleSource> {
  const source = await openAll(path, options);
  return selectSamples(source, options.samples, options.seed);
}
