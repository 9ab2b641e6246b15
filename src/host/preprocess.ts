import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import type { DataSetHeader } from '../data/data-set.js';
import { type ImageOptions, type Preprocessing, resolvePreprocessing, type Size } from '../data/image/preprocess.js';
import { ioError, modelError, usageError } from '../support/errors.js';
import { type DecoderOptions, openDecoder } from './decode-image.js';
import { makeFolder } from './files.js';
import { isFolder, type ListedPicture, listedPictures, listFileOf } from './list-pictures.js';
import { type BadPicture, PartialFile, resumeAt } from './partial-file.js';
import { inOrder, openPool } from './pool.js';
import { shuffled } from './select-samples.js';

/** What `qc preprocess` is asked to do. */
export interface PreprocessOptions extends DecoderOptions {
  /** The folder of the pictures. */
  readonly dataDir: string;
  /** The list of pictures and labels; val_list.txt in the folder by default. */
  readonly labelList?: string;
  readonly outputFile: string;
  readonly size: Size;
  readonly image: ImageOptions;
  readonly dtype: 'f32' | 'u8';
  /** Writes the pictures in an order that this number decides. */
  readonly shuffle?: number;
  readonly skipBad: boolean;
  readonly threads: number;
  /** Called after every picture, and once at the start with what an earlier run had done. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface PreprocessResult {
  readonly file: string;
  readonly bytes: number;
  readonly header: DataSetHeader;
  /** Pictures that an earlier run, which was stopped, had done. */
  readonly resumed: number;
}

/** Pictures named in an error; a list of thousands helps nobody. */
const NAMED = 20;

/** The pictures in the order of the file. */
function picturesOf({ dataDir, labelList, shuffle }: PreprocessOptions): (ListedPicture & { label: number })[] {
  if (!isFolder(dataDir)) throw ioError('no such folder', { file: dataDir });
  const list = listFileOf(dataDir, labelList);
  if (list === undefined)
    throw usageError(`no list of pictures and labels: ${dataDir} has no val_list.txt`, {
      remedy: 'Name one with --label-list; each of its lines is: path label.',
    });
  const pictures = listedPictures(list, dataDir).map((picture, i) => {
    if (picture.label === undefined)
      throw modelError(`picture ${i + 1}, ${picture.name}, has no label`, { file: list });
    return { ...picture, label: picture.label };
  });
  const order = shuffle === undefined ? pictures.map((_, i) => i) : shuffled(pictures.length, shuffle);
  return order.map((i) => pictures[i] as (typeof pictures)[number]);
}

function checkBad(bad: readonly BadPicture[], pictures: readonly ListedPicture[], skipBad: boolean): void {
  if (bad.length === 0 || (skipBad && bad.length < pictures.length)) return;
  const lines = bad.slice(0, NAMED).map(({ at, reason }) => `${pictures[at]?.path}: ${reason}`);
  const more = bad.length > NAMED ? [`and ${bad.length - NAMED} more`] : [];
  throw modelError(
    [`${bad.length} of ${pictures.length} pictures cannot be read:`, ...lines, ...more].join('\n  '),
    skipBad ? {} : { remedy: '--skip-bad leaves them out.' },
  );
}

interface Task {
  readonly options: PreprocessOptions;
  readonly how: Preprocessing;
  readonly pictures: readonly (ListedPicture & { label: number })[];
  readonly partial: PartialFile;
}

/** Makes all pictures that are left; gives those that could not be read. */
async function makePictures({ options, how, pictures, partial }: Task): Promise<readonly BadPicture[]> {
  const { decoder, ignoreOrientation, threads, onProgress } = options;
  const setup = {
    how,
    decoder: { ...(decoder ? { decoder } : {}), ...(ignoreOrientation ? { ignoreOrientation } : {}) },
  };
  const start = resumeAt(partial);
  const bad = [...partial.bad];
  onProgress?.(start, pictures.length);
  const pool = await openPool('preprocess', setup, Math.max(1, Math.min(threads, pictures.length - start)));
  try {
    let at = start;
    for await (const result of inOrder(
      pool,
      pictures.slice(start).map((p) => p.path),
    )) {
      if ('bytes' in result) partial.append(result.bytes);
      else {
        bad.push({ at, reason: result.reason });
        partial.skip({ at, reason: result.reason });
      }
      onProgress?.(++at, pictures.length);
    }
  } finally {
    await pool.close();
  }
  return bad;
}

/**
 * Makes a data set of a folder of pictures: decodes, resizes, crops and normalizes them over several threads, and
 * writes them in the order of the list. What a run that was stopped has done is kept in OUTPUT.partial; the same task
 * goes on from there. Throws QcErrors: usage for options, model for pictures (all bad ones are named), io for files.
 */
export async function preprocess(options: PreprocessOptions): Promise<PreprocessResult> {
  const { size, image, dtype, outputFile, shuffle, skipBad } = options;
  if (isFolder(outputFile)) throw ioError('cannot write: a folder with this name is in the way', { file: outputFile });
  const pictures = picturesOf(options);
  const input = { name: 'data set', dtype, shape: [3, size.height, size.width] };
  const values = resolvePreprocessing({ ...input, dtype: 'f32' }, { ...image, crop: size });
  const { mean: _, std: __, ...pixelOptions } = image;
  const how = dtype === 'f32' ? values : resolvePreprocessing(input, { ...pixelOptions, crop: size });
  const { name: decoder } = await openDecoder(options);
  const { resize, fit, interpolation, range, mean, std } = values;
  const base = {
    format: 'qc-data-set',
    version: 1,
    dtype,
    channels: 3,
    ...size,
    decoder,
    resize,
    fit,
    interpolation,
  } as const;
  const common = { ...base, range, mean, std, ...(shuffle === undefined ? {} : { shuffled: shuffle }) };
  const key = createHash('sha256')
    .update(JSON.stringify([common, options.ignoreOrientation ?? false, pictures]))
    .digest('hex');
  makeFolder(dirname(outputFile));
  const partial = new PartialFile(outputFile, key, dtype, size);
  const resumed = resumeAt(partial);
  const bad = await makePictures({ options, how, pictures, partial });
  try {
    checkBad(bad, pictures, skipBad);
  } catch (error) {
    partial.discard();
    throw error;
  }
  const left = new Set(bad.map((b) => b.at));
  const made = pictures.filter((_, i) => !left.has(i));
  const header: DataSetHeader = {
    ...common,
    count: made.length,
    skipped: bad.map(({ at, reason }) => ({ name: pictures[at]?.name ?? '', reason })),
    names: made.map((p) => p.name),
  };
  const bytes = partial.finish(
    outputFile,
    header,
    made.map((p) => p.label),
  );
  return { file: outputFile, bytes, header, resumed };
}
