import type { Options } from 'yargs';
import { decodeNpy, isNpy } from '../data/npy.js';
import type { EvaluateOptions } from '../host/evaluate.js';
import { readFile } from '../host/files.js';
import { modelError, usageError } from '../support/errors.js';
import type { Flags } from './command.js';
import { DATA_FLAGS, ENTRY_FLAG, sampleOptions } from './data-flags.js';
import { MAX_SIZE_FLAG, MIN_SPEEDUP_FLAG } from './limit-flags.js';
import { MODEL_FLAGS } from './model-flags.js';

const value = (describe: string, alias?: string | string[]): Options => ({
  string: true,
  requiresArg: true,
  describe,
  ...(alias ? { alias } : {}),
});

/** A flag of Paddle's testers: its value may be left out, which means true. */
const given = (describe: string): Options => ({ string: true, hidden: true, describe });

/** The flags of `qc eval` besides those of models and data. */
const OWN_FLAGS: Readonly<Record<string, Options>> = {
  labels: value('One label per sample: .npy, or text with one a line; where the data has none'),
  targets: value('Folder with what to compare outputs with: per sample a .npy, .pb or grey .png of its name'),
  'batch-size': value('Samples per batch, the unit of counting (default: 50)', 'batch_size'),
  iterations: value('So many batches (default: 0, all)', 'batch_num'),
  'skip-batches': value('Leave out so many batches at the start', 'skip_batch_num'),
  'warmup-batches': value('Batches at the start of each thread whose times do not count (default: 1)', 'warmup_iter'),
  'num-threads': value('Threads, each with an instance of its own (default: 1)', 'num_threads'),
  'top-k': value('Accuracies to tell (default: 1,5)'),
  'label-offset': value('Added to the index of an output to get a label (default: 0)'),
  output: value('Name of the output that says the class (default: the first list of reals)'),
  ...ENTRY_FLAG,
  against: value('A further column: MODULE, MODEL or nothing, with flags in quotes, or onnxruntime; may be repeated'),
  'no-fuse': { boolean: true, describe: 'FP32 without fusions' },
  'fake-data': { boolean: true, describe: 'Random numbers in place of samples: times only' },
  metric: value('A module with a measure of the task, e.g. examples/metrics/segmentation-iou.mjs'),
  confusion: { boolean: true, describe: 'List the classes that are taken for others' },
  'per-class': { boolean: true, describe: 'List the accuracy of every class' },
  changed: { boolean: true, describe: 'List the samples whose class differs between columns' },
  'class-names': value('File with the name of class N in line N + 1'),
  'max-accuracy-drop': value('Exit with 1 if INT8 loses more points than this'),
  ...MIN_SPEEDUP_FLAG,
  ...MAX_SIZE_FLAG,
  report: value('Write an HTML page with all that was found'),
  json: { boolean: true, describe: 'What was found, as JSON on stdout' },
  // What the testers of Paddle take besides.
  infer_model: { ...value('Of the original: the model'), hidden: true },
  optimize_fp32_model: given('Of the original: FP32 is fused unless this is false'),
  with_accuracy_layer: given('Of the original: found out from the model'),
  use_analysis: given('Of the original'),
};

/** All flags of `qc eval`. */
export const EVAL_FLAGS: Readonly<Record<string, Options>> = {
  ...DATA_FLAGS,
  data: { ...DATA_FLAGS.data, alias: 'infer_data' },
  ...OWN_FLAGS,
  ...MODEL_FLAGS,
};

/** An integer from `least` on. */
function integer(flags: Flags, name: string, fallback: number, least = 0): number {
  const text = flags.required(name);
  if (text === undefined) return fallback;
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < least)
    throw usageError(`--${name} takes an integer${Number.isFinite(least) ? ` from ${least}` : ''}, not "${text}"`);
  return number;
}

/** A number that is not negative, or undefined where the flag is not given. */
export function limit(flags: Flags, name: string): number | undefined {
  const text = flags.required(name);
  if (text === undefined) return undefined;
  if (!(Number(text) >= 0)) throw usageError(`--${name} takes a number from 0, not "${text}"`);
  return Number(text);
}

function topK(flags: Flags): number[] {
  const words = flags.words('top-k') ?? ['1', '5'];
  if (words.length === 0 || !words.every((word) => /^[1-9]\d{0,5}$/.test(word)))
    throw usageError(`--top-k takes numbers such as 1,5, not "${words}"`);
  return words.map(Number);
}

/** The labels of a file: an array of integers, or text with one a line. */
function readLabels(path: string): number[] {
  const bytes = readFile(path);
  const values = isNpy(bytes)
    ? Array.from(decodeNpy(bytes).data, Number)
    : new TextDecoder().decode(bytes).trim().split(/\s+/).map(Number);
  const isLabel = (v: number): boolean => Number.isSafeInteger(v) && v >= 0;
  const bad = values.findIndex((v) => !isLabel(v));
  if (!values.some(isLabel))
    throw modelError('holds no labels: --labels of qc eval takes the class of every sample, as integers', {
      file: path,
      remedy: 'Names of classes go with --class-names.',
    });
  if (bad >= 0) throw modelError(`label ${bad + 1} is no integer from 0`, { file: path });
  return values;
}

/** Names of classes, line by line. */
export function classNames(flags: Flags): readonly string[] {
  const path = flags.required('class-names');
  return path === undefined ? [] : new TextDecoder().decode(readFile(path)).split(/\r?\n/);
}

/** Number of samples where there are none: four batches, or as many as asked for. */
function fakeCount(flags: Flags, batchSize: number, batches: number): number {
  return flags.count('samples') ?? batchSize * (batches || 4);
}

/** What the flags ask for, without the columns. */
export function evaluateOptions(flags: Flags): Omit<EvaluateOptions, 'columns' | 'onBatch'> {
  const [batchSize, iterations] = [integer(flags, 'batch-size', 50, 1), integer(flags, 'iterations', 0)];
  const skipBatches = integer(flags, 'skip-batches', 0);
  const k = topK(flags);
  const [path, fake] = [flags.required('data'), flags.on('fake-data')];
  if (path === undefined && !fake)
    throw usageError('--data says what to evaluate on', { remedy: 'Or try the times alone with --fake-data.' });
  if (path !== undefined && fake) throw usageError('--data and --fake-data contradict each other');
  const { labelList: _, ...others } = sampleOptions(flags);
  const options = sampleOptions(flags);
  const [targets, labels, metric, output, entry] = ['targets', 'labels', 'metric', 'output', 'entry'].map((name) =>
    flags.required(name),
  );
  const count = fakeCount(flags, batchSize, iterations === 0 ? 0 : skipBatches + iterations);
  return {
    data: fake
      ? { kind: 'fake', count, seed: others.seed ?? 0 }
      : { kind: 'files', path: path as string, options, ...(targets === undefined ? {} : { targets }) },
    ...(labels === undefined ? {} : { labels: readLabels(labels) }),
    how: {
      k: Math.max(...k),
      offset: integer(flags, 'label-offset', 0, Number.NEGATIVE_INFINITY),
      ...(output === undefined ? {} : { output }),
    },
    ...(metric === undefined ? {} : { metric }),
    ...(entry === undefined ? {} : { entry }),
    warmUpBatches: integer(flags, 'warmup-batches', 1),
    batchSize,
    iterations,
    skipBatches,
    threads: integer(flags, 'num-threads', 1, 1),
    topK: k,
    skipBad: flags.on('skip-bad'),
  };
}
