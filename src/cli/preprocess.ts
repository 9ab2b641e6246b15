import { availableParallelism } from 'node:os';
import { preprocess } from '../host/preprocess.js';
import { usageError } from '../support/errors.js';
import type { Command, Flags } from './command.js';
import { IMAGE_FLAGS, imageOptions, sampleOptions } from './data-flags.js';
import { colors, formatBytes, formatTime, human, progressBar, resultJson } from './terminal.js';

const DATA_DIM = 224;
const SHORT_SIDE = 256;
/** What is named of the pictures left out; the JSON has all. */
const NAMED = 20;

/** The flags of pictures that make sense for files whose layout is fixed. */
const { layout: _layout, order: _order, crop: _crop, ...PICTURE_FLAGS } = IMAGE_FLAGS;

function dtypeOf(flags: Flags): 'f32' | 'u8' {
  const dtype = flags.required('dtype') ?? 'f32';
  if (dtype !== 'f32' && dtype !== 'u8') throw usageError(`--dtype takes f32 or u8, not "${dtype}"`);
  return dtype;
}

/** The short side after resizing: as said, else in the proportion that the original has, 256 to 224. */
function resizeFor(flags: Flags, dim: number): number | undefined {
  const { resize, fit } = imageOptions(flags);
  if (resize !== undefined || flags.text('resize') !== undefined || (fit !== undefined && fit !== 'cover'))
    return resize;
  return Math.round((dim * SHORT_SIDE) / DATA_DIM);
}

async function run(_: string, flags: Flags): Promise<void> {
  const dataDir = flags.required('data-dir');
  if (dataDir === undefined) throw usageError('--data-dir says where the pictures are');
  const dim = flags.count('data-dim') ?? DATA_DIM;
  const { labelList, skipBad = false, decoder, ignoreOrientation, seed } = sampleOptions(flags);
  const image = imageOptions(flags);
  if (image.crop && flags.required('data-dim') !== undefined && (image.crop.height !== dim || image.crop.width !== dim))
    throw usageError(`--resize ${flags.text('resize')} and --data-dim ${dim} contradict each other`, {
      remedy: 'HxW is the size that pictures are stretched to.',
    });
  const { crop, resize: __, ...others } = image;
  const short = resizeFor(flags, dim);
  if (seed !== undefined && !flags.on('shuffle')) throw usageError('--seed goes with --shuffle');
  const bar = progressBar('preprocessing');
  const start = performance.now();
  const { file, bytes, header, resumed } = await preprocess({
    dataDir,
    ...(labelList === undefined ? {} : { labelList }),
    outputFile: flags.required('output-file') ?? 'data.bin',
    size: crop ?? { height: dim, width: dim },
    image: { ...others, ...(short === undefined ? {} : { resize: short }) },
    dtype: dtypeOf(flags),
    ...(flags.on('shuffle') ? { shuffle: seed ?? 0 } : {}),
    skipBad,
    ...(decoder ? { decoder } : {}),
    ...(ignoreOrientation ? { ignoreOrientation } : {}),
    threads: flags.count('num-threads') ?? availableParallelism(),
    onProgress: (done, total) => bar.update(done, total),
  }).finally(() => bar.stop());
  const milliseconds = performance.now() - start;
  const size = `${header.height}x${header.width} ${header.dtype}`;
  human(
    `${colors.green('wrote')} ${file}: ${header.count} pictures, ${size}, ${formatBytes(bytes)}, in ${formatTime(milliseconds)}`,
  );
  human(`  ${colors.dim('decoder ')} ${header.decoder}`);
  if (resumed > 0) human(`  ${colors.dim('resumed ')} after ${resumed} pictures of a run that was stopped`);
  if (header.skipped.length > 0) human(`  ${colors.yellow('left out')} ${header.skipped.length}:`);
  for (const { name, reason } of header.skipped.slice(0, NAMED)) human(`    ${name}: ${reason}`);
  if (header.skipped.length > NAMED) human(`    and ${header.skipped.length - NAMED} more`);
  const { names: ___, ...described } = header;
  if (flags.on('json')) resultJson({ file, bytes, resumed, milliseconds: Math.round(milliseconds), ...described });
}

/** `qc preprocess`. */
export const preprocessCommand: Command = {
  name: 'preprocess',
  summary: 'Make a data set of a folder of pictures, for qc eval and qc calibrate',
  flags: {
    'data-dir': { alias: 'data_dir', string: true, requiresArg: true, describe: 'Folder of the pictures' },
    'label-list': {
      alias: 'label_list',
      string: true,
      requiresArg: true,
      describe: 'File with a line "path label" per picture (default: val_list.txt in the folder)',
    },
    'output-file': { alias: ['output_file', 'o'], string: true, requiresArg: true, describe: 'Default: data.bin' },
    'data-dim': { alias: 'data_dim', string: true, requiresArg: true, describe: 'Height and width (default: 224)' },
    dtype: {
      string: true,
      requiresArg: true,
      describe: 'f32 (default): as Paddle reads it, or u8: a quarter of the size',
    },
    ...PICTURE_FLAGS,
    resize: {
      string: true,
      requiresArg: true,
      describe: 'Short side before the centre is cut out (default: 256 for 224), or HxW to stretch',
    },
    shuffle: { boolean: true, describe: 'Write the pictures in a random order' },
    seed: { string: true, requiresArg: true, describe: 'The number that decides the order (default: 0)' },
    'skip-bad': { boolean: true, describe: 'Leave out pictures that cannot be read, and count them' },
    'num-threads': { alias: 'num_threads', string: true, requiresArg: true, describe: 'Default: one per core' },
    local: { boolean: true, describe: 'Of the original; the pictures are always local' },
    json: { boolean: true, describe: 'What was made, as JSON on stdout' },
  },
  examples: [
    ['qc preprocess --data-dir imagenet --output-file data.bin', 'as Paddle does: 256, 224, mean and std of ImageNet'],
    ['qc preprocess --data-dir set --dtype u8 --data-dim 128', 'one byte a channel; qc eval normalizes'],
    ['qc preprocess --data-dir set --range 255 --mean 128 --std 128', '(pixel - 128) / 128'],
  ],
  run,
};
