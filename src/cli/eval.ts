import { type Evaluated, evaluate } from '../host/evaluate.js';
import { machine } from '../host/machine.js';
import { comparedPair, type ReportColumn } from '../report/evaluation-rows.js';
import { usageError } from '../support/errors.js';
import { chosenText } from '../tasks/entries.js';
import type { Collector, Evaluation } from '../tasks/evaluate/evaluation.js';
import { enforceLimits, type Limit } from '../tasks/limits.js';
import type { Command, Flags } from './command.js';
import { type EvalColumn, evalColumns } from './eval-columns.js';
import { classNames, EVAL_FLAGS, evaluateOptions, limit } from './eval-flags.js';
import { writeReport } from './eval-report.js';
import { evaluationText } from './eval-text.js';
import { sizeLimits, speedLimit } from './limit-flags.js';
import { colors, formatTime, human, progress, result, resultJson } from './terminal.js';

/** A line for so many batches. */
const EVERY = 10;
/** Samples that are named as left out; the JSON has all. */
const NAMED = 20;

/** What is known after some batches. */
function progressText(done: number, total: number, names: readonly string[], k: number, collector: Collector): string {
  const accuracies = names.map((name, c) => {
    const share = collector.accuracy(c, k);
    const own = Object.entries(collector.own(c)).map(([key, value]) => `${key} ${value.toFixed(4)}`);
    const figures = share === undefined ? own : [`top-${k} ${(100 * share).toFixed(2)} %`];
    return `${name} ${[...figures, formatTime(collector.latency(c))].join(', ')}`;
  });
  return `batch ${done}/${total}: ${accuracies.join('; ')}`;
}

/** The columns with what is known of their modules. */
function reportColumns(
  { evaluation, memoryBytes }: Evaluated,
  columns: readonly EvalColumn[],
  fake: boolean,
): ReportColumn[] {
  return evaluation.columns.map(({ agreement, error, own, ...column }, i) => ({
    ...column,
    // What networks make of random numbers says nothing of them.
    own: fake ? {} : own,
    ...(fake || agreement === undefined ? {} : { agreement }),
    ...(fake || error === undefined ? {} : { error }),
    ...(memoryBytes[i] === undefined ? {} : { memoryBytes: memoryBytes[i] }),
    ...(columns[i]?.moduleBytes === undefined ? {} : { moduleBytes: columns[i].moduleBytes }),
  }));
}

/** The figure that --max-accuracy-drop watches: the metric's first, else the first accuracy. */
function mainFigure({ metric, accuracy }: ReportColumn): number | undefined {
  return Object.values(metric)[0] ?? Object.values(accuracy)[0];
}

/** The limit of --max-accuracy-drop, in points. */
function dropLimit(a: ReportColumn, b: ReportColumn, most: number): Limit {
  const [before, after] = [mainFigure(a), mainFigure(b)];
  if (before === undefined || after === undefined)
    throw usageError('--max-accuracy-drop needs labels and an output with the classes, or a metric', {
      remedy: '--label-list or --labels gives labels, --metric a metric.',
    });
  const drop = 100 * (before - after);
  return {
    flag: '--max-accuracy-drop',
    text: `${b.name} loses ${drop.toFixed(2)} points against ${a.name}, the limit is ${most}`,
    // A limit that is met exactly must not fail by the last bit of a quotient.
    ok: drop <= most + 1e-9,
  };
}

/** What `--max-size` is about: the modules that would be shipped. */
const shipped = (modules: readonly EvalColumn[]): { name: string; bytes: number }[] =>
  modules.flatMap(({ source: { name }, moduleBytes, ships }) =>
    ships && moduleBytes !== undefined ? [{ name, bytes: moduleBytes }] : [],
  );

/** The limits of the command line, refused before anything is measured where they cannot be checked. */
function limitsOf(modules: readonly EvalColumn[], flags: Flags): (columns: readonly ReportColumn[]) => Limit[] {
  const [drop, speed, sizes] = [limit(flags, 'max-accuracy-drop'), speedLimit(flags), sizeLimits(flags)];
  const pair = comparedPair(modules.map((m) => m.source));
  if (!pair && (drop !== undefined || speed))
    throw usageError('there is only one column: nothing to compare', { remedy: 'Name another with --against.' });
  return (columns) => {
    const found = sizes(shipped(modules));
    if (!pair) return found;
    const [a, b] = [columns[pair[0]] as ReportColumn, columns[pair[1]] as ReportColumn];
    if (drop !== undefined) found.push(dropLimit(a, b, drop));
    if (speed) found.push(speed({ name: b.name, base: a.name, speedup: a.latency.mean / b.latency.mean }));
    return found;
  };
}

/** Everything for programs. */
function json(
  subject: string,
  evaluated: Evaluated,
  columns: readonly ReportColumn[],
  modules: readonly EvalColumn[],
): object {
  const { times: _, columns: __, ...evaluation } = evaluated.evaluation;
  const described = columns.map((column, i) => {
    const { info, source } = modules[i] as EvalColumn;
    return { ...column, file: source.file, ...(info ? { target: info.target, hashes: info.hashes } : {}) };
  });
  const { source, entry } = evaluated;
  return {
    subject,
    data: source.description,
    ...(entry ? { entry } : {}),
    machine: machine(),
    columns: described,
    ...evaluation,
  };
}

/** What is said where a model with an accuracy layer and a batch has runs that are not full, whose figures do not count. */
function partialRuns({ columns, samples, samplesPerRun }: Evaluation, batchSize: number): string | undefined {
  const own = columns.some((column) => Object.keys(column.own).length > 0);
  const full = batchSize % samplesPerRun === 0 && samples % samplesPerRun === 0;
  if (samplesPerRun === 1 || full || (!own && batchSize >= samplesPerRun)) return undefined;
  return `a run takes ${samplesPerRun} samples: those at the end of a batch of ${batchSize} and of the data that do not fill one are left out of the figures of the model itself; a multiple for --batch-size avoids most of that`;
}

function tellData({ evaluation, source, onlyWarmUp, entry }: Evaluated, batchSize: number): void {
  const { samples, labelled, batches, threads, bad } = evaluation;
  human(
    `${colors.green('evaluated')} ${samples} samples, ${labelled} with labels, in ${batches} batch${batches === 1 ? '' : 'es'} on ${threads} thread${threads > 1 ? 's' : ''}`,
  );
  human(`  ${colors.dim('data  ')} ${source.description}`);
  if (entry) human(`  ${colors.dim('entry ')} ${chosenText(entry)}`);
  if (onlyWarmUp) human(`${colors.yellow('note:')} the times include warm-up: there were no batches behind it`);
  const note = partialRuns(evaluation, batchSize);
  if (note !== undefined) human(`${colors.yellow('note:')} ${note}`);
  if (bad.length > 0) human(`  ${colors.yellow('left out')} ${bad.length}:`);
  for (const { name, reason } of bad.slice(0, NAMED)) human(`    ${name}: ${reason}`);
  if (bad.length > NAMED) human(`    and ${bad.length - NAMED} more`);
}

/** What stays as it is in old command lines of Paddle's testers. */
function withOldFlags(flags: Flags): Flags {
  return flags.text('optimize_fp32_model') === 'false' ? flags.with({ 'no-fuse': true }) : flags;
}

async function run(subject: string, given: Flags): Promise<void> {
  const flags = withOldFlags(given);
  const options = evaluateOptions(flags);
  const names = classNames(flags);
  const modules = await evalColumns(subject, flags);
  const limits = limitsOf(modules, flags);
  for (const note of new Set(modules.flatMap((m) => m.notes))) human(`${colors.yellow('note:')} ${note}`);
  const columnNames = modules.map((m) => m.source.name);
  const evaluated = await evaluate({
    ...options,
    columns: modules.map((m) => m.source),
    onBatch(done, total, collector) {
      const text = progressText(done, total, columnNames, options.topK[0] as number, collector);
      if (done % EVERY === 0) human(text);
      else progress(text);
    },
  });
  const columns = reportColumns(evaluated, modules, options.data.kind === 'fake');
  tellData(evaluated, options.batchSize);
  const kept = limits(columns);
  if (flags.on('json')) resultJson(json(subject, evaluated, columns, modules));
  else result(evaluationText(evaluated.evaluation, columns, flags, names));
  // Behind the results, which must not be lost where it cannot be written.
  const report = flags.required('report');
  if (report !== undefined) await writeReport(report, { subject, evaluated, columns, modules, names });
  enforceLimits(kept);
}

/** `qc eval`. */
export const evalCommand: Command = {
  name: 'eval',
  summary: 'Evaluate a model or module on a data set: accuracy, latency and memory, FP32 against INT8',
  subject: { name: 'MODEL|MODULE', doc: 'A model, or a .wasm made by qc compile', flag: 'infer_model' },
  flags: EVAL_FLAGS,
  examples: [
    ['qc eval net.onnx --data data.bin', 'the table FP32 / fake-quantized / INT8'],
    [
      'qc eval net.onnx --data imagenet --range 255 --mean 128 --std 128',
      'a folder with val_list.txt, preprocessed on the fly',
    ],
    ['qc eval net.onnx --data data.bin --against onnxruntime --num-threads 4', 'beside onnxruntime, four threads'],
    ['qc eval net.onnx --data data.bin --max-accuracy-drop 0.5 --report out.html', 'for CI: exit code 1, and a page'],
    ['qc eval det --data pages --targets masks --metric iou.mjs', 'a measure of your own'],
  ],
  run,
};
