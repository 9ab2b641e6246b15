import type { Options } from 'yargs';
import type { SampleSource } from '../data/sample.js';
import { readFile } from '../host/files.js';
import type { OpenedModel } from '../host/open-model.js';
import { openSamples } from '../host/open-samples.js';
import { ALGORITHMS } from '../quant/thresholds.js';
import { usageError } from '../support/errors.js';
import { type CalibrateOptions, inputsOf } from '../tasks/calibrate/calibrate.js';
import { parseRecoveries } from '../tasks/calibrate/recoveries.js';
import { readScaleTable, type ScaleTable } from '../tasks/calibrate/scale-table.js';
import type { Flags } from './command.js';
import { sampleOptions } from './data-flags.js';
import { modelOptions } from './model-flags.js';
import { colors, human, progressBar } from './terminal.js';

const value = (describe: string): Options => ({ string: true, requiresArg: true, describe });

/** Flags that say how scales are chosen. */
export const CALIBRATION_FLAGS: Readonly<Record<string, Options>> = {
  algorithm: value(
    `${ALGORITHMS.join(', ')}; others by op type behind it: mse,concat=minmax,input=minmax (default: mse)`,
  ),
  percentile: value('Per cent of the elements that percentile keeps at either end (default: 99.99)'),
  scheme: value('Activations: s8 (symmetric), u8 (with zero points) or auto (default): s8 where it rounds as little'),
  weights: value('per-channel (default) or per-tensor scales of weights'),
  recover: {
    string: true,
    describe: 'equalize, bias (default), round, clip by comma, none, or without a value all: win back accuracy',
  },
  'weight-bits': value('8: the only width'),
  'activation-bits': value('8: the only width'),
  'batch-size': value('Samples that are one step of moving-average (default: 1)'),
  scales: value('Scale table (JSON): written where samples are given, read where none are'),
};

function eightBits(flags: Flags, name: string): void {
  const bits = flags.required(name);
  if (bits !== undefined && bits !== '8')
    throw usageError(`--${name} ${bits}: the kernels compute with 8 bits`, { remedy: `Leave --${name} out.` });
}

/** The options of a calibration from the command line; the API checks what can be chosen. */
export function calibrateOptions(model: OpenedModel, flags: Flags): CalibrateOptions {
  eightBits(flags, 'weight-bits');
  eightBits(flags, 'activation-bits');
  const { file, batch, inputShapes, inputValues, paramsFile, opsToQuantize, opIdsToSkip } = modelOptions(model, flags);
  const words = flags.words('recover');
  const percentile = flags.required('percentile');
  if (percentile !== undefined && !Number.isFinite(Number(percentile)))
    throw usageError(`--percentile takes a number such as 99.99, not "${percentile}"`);
  const options = {
    ...{ file, batch, inputShapes, inputValues, paramsFile, opsToQuantize, opIdsToSkip },
    algorithm: flags.required('algorithm'),
    percentile: percentile === undefined ? undefined : Number(percentile),
    scheme: flags.required('scheme'),
    weights: flags.required('weights'),
    batchSize: flags.count('batch-size'),
    recover: words && parseRecoveries(words),
  };
  return Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined)) as CalibrateOptions;
}

/** Opens the samples of a flag for a model, and says how to count the unreadable ones. */
export async function samplesFor(
  model: OpenedModel,
  path: string,
  flags: Flags,
  options: CalibrateOptions,
): Promise<{ source: SampleSource; skipped: () => number }> {
  const skipped = new Set<number>();
  const source = await openSamples(path, {
    ...sampleOptions(flags),
    inputs: inputsOf(model.files, options),
    onBad: ({ index, name, reason }) => {
      if (skipped.has(index)) return; // samples are read more than once
      skipped.add(index);
      human(`${colors.yellow('left out')} ${name}: ${reason}`);
    },
  });
  return { source, skipped: () => skipped.size };
}

/** A progress bar as the option of a calibration that moves it. */
export function calibrationProgress(title = 'calibrating'): {
  onSample: (done: number, total: number) => void;
  stop: () => void;
} {
  const bar = progressBar(title);
  return { onSample: (done, total) => bar.update(done, total), stop: () => bar.stop() };
}

/** The scale table of a file. */
export const readTable = (file: string): ScaleTable => readScaleTable(file, new TextDecoder().decode(readFile(file)));
