import { type Evaluated, evaluate } from '../host/evaluate.js';
import { machine } from '../host/machine.js';
import { comparedPair, type ReportColumn } from '../report/evaluation-rows.js';
import { QcError, usageError } from '../support/errors.js';
import type { Collector } from '../tasks/evaluate/evaluation.js';
import type { Command, Flags } from './command.js';
import { type EvalColumn, evalColumns } from './eval-columns.js';
import { classNames, EVAL_FLAGS, evaluateOptions, limit } from './eval-flags.js';
import { writeReport } from './eval-report.js';
import { evaluationText } from './eval-text.js';
import { colors, formatTime, human, progress, result, resultJson } from './terminal.js';

/** A line for so many batches. */
const EVERY = 10;
/** Samples that are named as left out; the JSON has all. */
const NAMED = 20;

/** What is known after some batches. */
function progressText(done: number, total: number, names: readonly string[], k: number, collector: Collector): string {
  const accuracies = names.map((name, c) => {
    const share = collector.accuracy(c, k);
    const accuracy = share === undefined ? '' : `top-${k} ${(100 * share).toFixed(2)} %, `;
    return `${name} ${accuracy}${formatTime(collector.latency(c))}`;
  });
  return `batch ${done}/${total}: ${accuracies.join('; ')}`;
}

/** The columns with what is known of their modules. */
function reportColumns(
  { evaluation, memoryBytes }: Evaluated,
  columns: readonly EvalColumn[],
  fake: boolean,
): ReportColumn[] {
  return evaluation.columns.map(({ agreement, error, ...column }, i) => ({
    ...column,
    // What networks make of random numbers says nothing of them.
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

/** Limits that the second of two columns has to keep. */
interface Limits {
  readonly pair: readonly [number, number];
  readonly drop: number | undefined;
  readonly speedup: number | undefined;
}

/** The limits of the command line, checked before anything is measured; undefined where there are none. */
function limitsOf(modules: readonly EvalColumn[], flags: Flags): Limits | undefined {
  const [drop, speedup] = [limit(flags, 'max-accuracy-drop'), limit(flags, 'min-speedup')];
  if (drop === undefined && speedup === undefined) return undefined;
  const pair = comparedPair(modules.map((m) => m.source));
  if (!pair)
    throw usageError('there is only one column: nothing to compare', { remedy: 'Name another with --against.' });
  return { pair, drop, speedup };
}

/** What of the limits does not hold, as sentences. */
function violations(columns: readonly ReportColumn[], { pair, drop: most, speedup: least }: Limits): string[] {
  const [a, b] = [columns[pair[0]] as ReportColumn, columns[pair[1]] as ReportColumn];
  const found: string[] = [];
  if (most !== undefined) {
    const [before, after] = [mainFigure(a), mainFigure(b)];
    if (before === undefined || after === undefined)
      throw usageError('--max-accuracy-drop needs labels or a metric', {
        remedy: '--label-list or --labels gives labels.',
      });
    const drop = 100 * (before - after);
    // A limit that is met exactly must not fail by the last bit of a quotient.
    if (drop > most + 1e-9)
      found.push(`${b.name} loses ${drop.toFixed(2)} points against ${a.name}, the limit is ${most}`);
  }
  const speedup = a.latency.mean / b.latency.mean;
  if (least !== undefined && speedup < least)
    found.push(`${b.name} is ${speedup.toFixed(2)} times as fast as ${a.name}, the limit is ${least}`);
  return found;
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
  return { subject, data: evaluated.source.description, machine: machine(), columns: described, ...evaluation };
}

function tellData({ evaluation, source, onlyWarmUp }: Evaluated): void {
  const { samples, labelled, batches, threads, bad } = evaluation;
  human(
    `${colors.green('evaluated')} ${samples} samples, ${labelled} with labels, in ${batches} batches on ${threads} thread${threads > 1 ? 's' : ''}`,
  );
  human(`  ${colors.dim('data  ')} ${source.description}`);
  if (onlyWarmUp) human(`${colors.yellow('note:')} the times include warm-up: there were no batches behind it`);
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
  tellData(evaluated);
  const failed = limits ? violations(columns, limits) : [];
  const report = flags.required('report');
  if (report !== undefined) await writeReport(report, { subject, evaluated, columns, modules, names });
  if (flags.on('json')) resultJson(json(subject, evaluated, columns, modules));
  else result(evaluationText(evaluated.evaluation, columns, flags, names));
  if (failed.length > 0) throw new QcError('check', failed.join('\n  '));
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
