import type { BadSample, SampleSource } from '../data/sample.js';
import { modelError, usageError } from '../support/errors.js';
import { type ChosenEntry, chosenEntry } from '../tasks/entries.js';
import type { BatchResult, Judgement } from '../tasks/evaluate/batch.js';
import type { Column } from '../tasks/evaluate/column.js';
import { Collector, type Evaluation } from '../tasks/evaluate/evaluation.js';
import { chooseEntries } from './choose-entry.js';
import { type ColumnSource, openColumn } from './engines.js';
import { type EvaluateRequest, type EvaluateSetup, loadMetric, openData } from './evaluate-job.js';
import { inOrder, openPool, type Pool } from './pool.js';

/** What `qc eval` is asked to do with its columns and samples. */
export interface EvaluateOptions extends EvaluateSetup {
  readonly batchSize: number;
  /** So many batches; 0 for all. */
  readonly iterations: number;
  readonly skipBatches: number;
  readonly threads: number;
  /** The accuracies that are told, by the number of best classes. */
  readonly topK: readonly number[];
  readonly skipBad: boolean;
  /** The entry of a module with several, by number or shape; otherwise the one that the data fits. */
  readonly entry?: string;
  readonly how: Judgement;
  /** Called after every batch with what is known so far. */
  readonly onBatch?: (done: number, total: number, so_far: Collector) => void;
}

/** What an evaluation gives besides the figures. */
export interface Evaluated {
  readonly evaluation: Evaluation;
  readonly source: SampleSource;
  /** Memory of one instance by column, in bytes. */
  readonly memoryBytes: readonly (number | undefined)[];
  /** Whether the times are those of warm-up, because there were no others. */
  readonly onlyWarmUp: boolean;
  /** Which entry ran, where the first column has several. */
  readonly entry?: ChosenEntry;
}

/** What is told of the entry of a column. */
const chosenOf = (source: ColumnSource | undefined): ChosenEntry | undefined =>
  source?.kind === 'module'
    ? chosenEntry(
        source.entries.map((inputs) => ({ inputs })),
        source.entry ?? 0,
      )
    : undefined;

/** Throws a usage error where a column has not the output that says the class; those of onnxruntime are not known yet. */
function checkOutput(columns: readonly Column[], named: string | undefined): void {
  const odd = columns.find(({ outputs }) => outputs.length > 0 && !outputs.some((o) => o.name === named));
  if (named === undefined || !odd) return;
  throw usageError(`--output ${named} is no output of ${odd.name}`, {
    remedy: `The outputs are ${odd.outputs.map(({ name, shape }) => `"${name}" [${shape.join(', ')}]`).join(', ')}.`,
  });
}

/** Samples named in an error; a list of thousands helps nobody. */
const NAMED = 20;

/** The batches to run, as ranges of samples. Throws a usage error where nothing is left. */
function rangesOf(length: number, { batchSize, iterations, skipBatches }: EvaluateOptions): EvaluateRequest[] {
  const total = Math.ceil(length / batchSize);
  if (length > 0 && skipBatches >= total)
    throw usageError(
      `skipping ${skipBatches} batches leaves nothing: ${length} samples are ${total} batches of ${batchSize}`,
    );
  const last = iterations === 0 ? total : Math.min(total, skipBatches + iterations);
  return Array.from({ length: last - skipBatches }, (_, i) => {
    const from = (skipBatches + i) * batchSize;
    return { from, to: Math.min(from + batchSize, length) };
  });
}

/** The error that names all bad samples of the ranges that are left, and those found already. */
async function badError(
  pool: Pool<'evaluate'>,
  found: readonly BadSample[],
  left: readonly EvaluateRequest[],
): Promise<Error> {
  const bad = [...found];
  for await (const result of inOrder(
    pool,
    left.map((range) => ({ ...range, scan: true })),
  ))
    bad.push(...result.bad);
  const lines = bad.slice(0, NAMED).map(({ name, reason }) => `${name}: ${reason}`);
  const more = bad.length > NAMED ? [`and ${bad.length - NAMED} more`] : [];
  return modelError(
    [`${bad.length} sample${bad.length > 1 ? 's' : ''} cannot be read:`, ...lines, ...more].join('\n  '),
    {
      remedy: '--skip-bad leaves them out and counts them.',
    },
  );
}

async function runAll(
  ranges: readonly EvaluateRequest[],
  collector: Collector,
  options: EvaluateOptions,
): Promise<void> {
  const { columns, data, labels, how, metric, warmUpBatches } = options;
  const setup: EvaluateSetup = {
    columns,
    data,
    how,
    warmUpBatches,
    ...(labels ? { labels } : {}),
    ...(metric === undefined ? {} : { metric }),
  };
  const pool = await openPool('evaluate', setup, Math.max(1, Math.min(options.threads, ranges.length)));
  try {
    let done = 0;
    for await (const result of inOrder(pool, ranges) as AsyncGenerator<BatchResult>) {
      done++;
      if (result.bad.length > 0 && !options.skipBad) throw await badError(pool, result.bad, ranges.slice(done));
      collector.add(result);
      options.onBatch?.(done, ranges.length, collector);
    }
  } finally {
    await pool.close();
  }
}

/**
 * Runs all columns over the samples, in batches over several threads, and collects what they say. The counts do not
 * depend on the number of threads. Throws QcErrors: usage for options, model for samples and networks.
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluated> {
  const { topK, threads, metric: file } = options;
  const metric = file === undefined ? undefined : await loadMetric(file);
  const sources = await chooseEntries(options, options.entry);
  const columns: Column[] = await Promise.all(sources.map(openColumn));
  checkOutput(columns, options.how.output);
  const source = await openData(options, (columns[0] as Column).inputs, () => {});
  const ranges = rangesOf(source.length, options);
  if (ranges.length === 0) throw modelError('there are no samples', { file: source.description });
  const collector = new Collector(
    sources.map((s) => s.name),
    topK,
    metric,
  );
  await runAll(ranges, collector, { ...options, columns: sources });
  if (collector.count === 0) throw modelError('none of the samples can be read', { file: source.description });
  const entry = chosenOf(sources[0]);
  return {
    ...(entry ? { entry } : {}),
    evaluation: collector.finish(Math.min(threads, ranges.length)),
    source,
    memoryBytes: columns.map((c) => c.memoryBytes),
    onlyWarmUp: collector.onlyWarmUp,
  };
}
