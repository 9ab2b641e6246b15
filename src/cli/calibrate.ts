import { basename, dirname } from 'node:path';
import type { Options } from 'yargs';
import type { SampleSource } from '../data/sample.js';
import { readFile, writeFiles } from '../host/files.js';
import { type OpenedModel, openModel } from '../host/open-model.js';
import { usageError } from '../support/errors.js';
import {
  type Calibrated,
  type CalibrateOptions,
  calibrateFrom,
  calibrationOfTable,
  int8Options,
  observe,
  targetsOf,
} from '../tasks/calibrate/calibrate.js';
import { quantizedModel } from '../tasks/calibrate/quantized-model.js';
import { withRecovery } from '../tasks/calibrate/run.js';
import { checkScaleTable, scaleTableText, tableOf } from '../tasks/calibrate/scale-table.js';
import { mergeStatistics, readStatistics, type Statistics, statisticsText } from '../tasks/calibrate/statistics.js';
import {
  CALIBRATION_FLAGS,
  calibrateOptions,
  calibrationProgress,
  readTable,
  samplesFor,
} from './calibration-flags.js';
import { reportJson, reportText, valueRows } from './calibration-report.js';
import type { Command, Flags } from './command.js';
import { DATA_FLAGS } from './data-flags.js';
import { MODEL_FLAGS } from './model-flags.js';
import { colors, formatBytes, formatTime, human, result, resultJson } from './terminal.js';

/** The flags of models that say what is read, and what may become int8. */
const READING = [
  'model-file',
  'params-file',
  'ops-to-quantize',
  'op-ids-to-skip',
  'batch',
  'input-shape',
  'input-value',
];
const FLOAT_MODEL_FLAGS = Object.fromEntries(READING.map((name) => [name, MODEL_FLAGS[name] as Options]));

/** A shard as `[number, count]`, from `2/4`. */
function shardOf(flags: Flags): readonly [number, number] | null {
  const text = flags.required('shard');
  if (text === undefined) return null;
  const match = /^([1-9]\d{0,5})\/([1-9]\d{0,5})$/.exec(text);
  const [i, n] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || i > n) throw usageError(`--shard takes I/N with 1 <= I <= N, such as 2/4, not "${text}"`);
  return [i, n];
}

interface Run {
  readonly model: OpenedModel;
  readonly options: CalibrateOptions;
  readonly flags: Flags;
}

/** What the samples of --data show, or a shard of them. */
async function look(
  { model, options, flags }: Run,
  path: string,
): Promise<{ statistics: Statistics; source: SampleSource | null; skipped: () => number }> {
  const { source, skipped } = await samplesFor(model, path, flags, options);
  const shard = shardOf(flags);
  const at = (i: number): number => Math.floor((i * source.length) / (shard?.[1] ?? 1));
  const part = shard ? ([at(shard[0] - 1), at(shard[0])] as const) : ([0, source.length] as const);
  const { onSample, stop } = calibrationProgress();
  try {
    return { statistics: await observe(model.files, source, { ...options, onSample }, part), source, skipped };
  } finally {
    stop();
  }
}

/** Recovery, with a second look at the samples. */
async function learn({ model, options }: Run, chosen: Calibrated, source: SampleSource): Promise<Calibrated> {
  const { onSample, stop } = calibrationProgress('recovering');
  return withRecovery(model.files, chosen, source, { ...options, onSample }).finally(stop);
}

function merge(flags: Flags): Statistics {
  const files = flags.list('merge');
  return mergeStatistics(
    files.map((file) => ({ file, statistics: readStatistics(file, new TextDecoder().decode(readFile(file))) })),
  );
}

const write = (path: string, data: Uint8Array | string): void =>
  void writeFiles(dirname(path), [{ name: basename(path), data }]);

function writeShard(flags: Flags, statistics: Statistics, [i, n]: readonly [number, number]): void {
  const out = flags.required('out') ?? `shard-${i}-of-${n}.json`;
  write(out, statisticsText(statistics));
  human(`${colors.green('wrote')} ${out}: what ${statistics.samples} samples show`);
  human(`  ${colors.dim('then    ')} qc calibrate MODEL --merge ${out} --merge ... -o model.quantized.onnx`);
  if (flags.on('json')) resultJson({ file: out, samples: statistics.samples });
}

/** A model with a table that people wrote or kept. */
function fromTable({ model, options, flags }: Run, file: string, out: string): void {
  const table = readTable(file);
  checkScaleTable(file, table, targetsOf(model.files, options));
  const bytes = quantizedModel(model.files, calibrationOfTable(table, options), int8Options(options));
  write(out, bytes);
  human(
    `${colors.green('quantized')} ${model.file} with ${file} to ${colors.bold(out)} (${formatBytes(bytes.length)})`,
  );
  if (flags.on('json')) resultJson({ file: out, bytes: bytes.length, scales: file });
}

function finish(
  { model, options, flags }: Run,
  calibrated: Calibrated,
  out: string,
  rest: { skipped: number; start: number },
): void {
  const bytes = quantizedModel(model.files, calibrated.calibration, int8Options(options));
  const scales = flags.required('scales');
  write(out, bytes);
  if (scales !== undefined) write(scales, scaleTableText(tableOf(calibrated.calibration)));
  const milliseconds = performance.now() - rest.start;
  human(`${colors.green('calibrated')} ${model.file} to ${colors.bold(out)} (${formatBytes(bytes.length)})`);
  human(reportText(calibrated, { time: formatTime(milliseconds), skipped: rest.skipped, scales }));
  if (flags.on('json'))
    resultJson({
      file: out,
      bytes: bytes.length,
      scales,
      skipped: rest.skipped,
      milliseconds: Math.round(milliseconds),
      ...reportJson(calibrated),
    });
  else result(valueRows(calibrated).join('\n'));
}

async function run(path: string, flags: Flags): Promise<void> {
  const start = performance.now();
  const model = openModel(path, flags.required('model-file'));
  const options = calibrateOptions(model, flags);
  const out = flags.required('out') ?? `${model.name}.quantized.onnx`;
  const [data, scales, shard] = [flags.required('data'), flags.required('scales'), shardOf(flags)];
  const merges = flags.list('merge').length > 0;
  if (data !== undefined && merges) throw usageError('--data reads samples, --merge what shards saw of them: give one');
  if (shard && data === undefined) throw usageError('--shard is a part of --data');
  const task: Run = { model, options, flags };
  if (data === undefined && !merges) {
    if (scales === undefined)
      throw usageError('--data says which samples to calibrate with', {
        remedy: 'Or give what shards saw (--merge FILE), or a scale table (--scales FILE).',
      });
    return fromTable(task, scales, out);
  }
  const seen = data === undefined ? null : await look(task, data);
  const statistics = seen?.statistics ?? merge(flags);
  if (shard) return writeShard(flags, statistics, shard);
  const chosen = await calibrateFrom(model.files, statistics, options);
  const calibrated = seen?.source ? await learn(task, chosen, seen.source) : chosen;
  if (!seen)
    human(`${colors.yellow('note:')} recovery (--recover) needs the samples themselves; merged shards have none`);
  finish(task, calibrated, out, { skipped: seen?.skipped() ?? 0, start });
}

/** `qc calibrate`. */
export const calibrateCommand: Command = {
  name: 'calibrate',
  summary: 'Quantize a float model with samples: scales, and a fake-quantized ONNX file',
  subject: { name: 'MODEL', doc: 'A float model: an ONNX file, or a folder with a Paddle model' },
  flags: {
    out: {
      alias: 'o',
      string: true,
      requiresArg: true,
      describe: 'File for the quantized model (default: NAME.quantized.onnx), or with --shard for what it saw',
    },
    ...DATA_FLAGS,
    ...CALIBRATION_FLAGS,
    shard: {
      string: true,
      requiresArg: true,
      describe: 'I/N: only look at part I of N of the samples, and write what was seen; --merge puts parts together',
    },
    merge: { string: true, requiresArg: true, describe: 'File that --shard wrote; repeat it for each' },
    ...FLOAT_MODEL_FLAGS,
    json: { boolean: true, describe: 'Report on stdout as JSON' },
  },
  examples: [
    ['qc calibrate net.onnx --data images --resize 256 --samples 100', 'net.quantized.onnx'],
    [
      'qc calibrate net.onnx --data set.npy --algorithm mse,concat=minmax --scales scales.json',
      'and a table of scales',
    ],
    ['qc calibrate net.onnx --scales scales.json', 'with a table that was kept or edited'],
    ['qc calibrate net.onnx --data images --shard 1/4 -o 1.json', 'a quarter of the work, for --merge 1.json ...'],
  ],
  run,
};
