import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fakeSamples } from '../data/fake-samples.js';
import type { BadSample, Sample, SampleSource } from '../data/sample.js';
import { modelError, QcError, usageError } from '../support/errors.js';
import { type BatchResult, evaluateBatch, type Judgement } from '../tasks/evaluate/batch.js';
import type { Column } from '../tasks/evaluate/column.js';
import { rolesOf, sampleInputs } from '../tasks/evaluate/feeds.js';
import { checkMetric, type Metric } from '../tasks/evaluate/metric.js';
import { type ColumnSource, openColumn } from './engines.js';
import { openSamples, type SampleOptions } from './open-samples.js';
import { selectSamples } from './select-samples.js';
import { withTargets } from './targets.js';

/** Where samples come from: a path, or nowhere. */
export type DataSource =
  | { readonly kind: 'files'; readonly path: string; readonly options: SampleOptions; readonly targets?: string }
  | { readonly kind: 'fake'; readonly count: number; readonly seed: number };

/** What a thread of `qc eval` has to know. */
export interface EvaluateSetup {
  readonly columns: readonly ColumnSource[];
  readonly data: DataSource;
  /** One label per sample, where the data has none or others. */
  readonly labels?: readonly number[];
  readonly how: Judgement;
  /** The file of a metric, perhaps with parameters behind a question mark. */
  readonly metric?: string;
  /** The times of so many batches at the start of each thread are those of warm-up. */
  readonly warmUpBatches: number;
}

/** Samples `from` to `to`; with `scan` they are read only, to find those that cannot be. */
export interface EvaluateRequest {
  readonly from: number;
  readonly to: number;
  readonly scan?: boolean;
}

/** Loads a metric. Parameters behind a question mark reach it through import.meta.url. */
export async function loadMetric(file: string): Promise<Metric> {
  const at = file.indexOf('?');
  const [path, query] = at < 0 ? [file, ''] : [file.slice(0, at), file.slice(at)];
  try {
    const loaded = (await import(pathToFileURL(resolve(path)).href + query)) as { default?: unknown };
    return checkMetric(loaded.default ?? loaded, path);
  } catch (cause) {
    if (cause instanceof QcError) throw cause;
    throw usageError(`the metric cannot be loaded: ${(cause as Error).message}`, { file: path, cause });
  }
}

/** Opens the samples for the inputs of a network; those that cannot be read go to `onBad`. */
export async function openData(
  { data, labels, columns }: Pick<EvaluateSetup, 'data' | 'labels' | 'columns'>,
  of: Column['inputs'],
  onBad: (bad: BadSample) => void,
): Promise<SampleSource> {
  const inputs = sampleInputs(of);
  if (columns.length === 0) throw usageError('there is nothing to evaluate');
  if (data.kind === 'fake') return fakeSamples(inputs, data.count, data.seed);
  const { samples, seed, ...options } = data.options;
  const all = await openSamples(data.path, { ...options, inputs, skipBad: true, onBad });
  const chosen = selectSamples(labels?.length === all.length ? withLabels(all, labels) : all, samples, seed);
  const source = data.targets === undefined ? chosen : withTargets(chosen, data.targets);
  if (!labels || labels.length === all.length) return source;
  if (labels.length === chosen.length) return withLabels(source, labels);
  throw usageError(`${labels.length} labels were given for ${all.length} samples of ${data.path}`);
}

/** Samples with the labels of a list, in order. */
const withLabels = (source: SampleSource, labels: readonly number[]): SampleSource => ({
  ...source,
  label: (i) => labels[i],
  async *samples(from, to) {
    for await (const sample of source.samples(from, to)) yield { ...sample, label: labels[sample.index] as number };
  },
});

/** A model with an accuracy layer needs labels, or zeros with fake data. */
function checkLabels(columns: readonly Column[], samples: readonly Sample[], fake: boolean): void {
  const input = rolesOf(columns[0]?.inputs ?? []).label;
  const bare = samples.find((s) => s.label === undefined);
  if (input && bare && !fake)
    throw modelError(`has no label, but the network takes labels as input "${input.name}"`, {
      file: bare.name,
      remedy: '--label-list or --labels gives them.',
    });
}

/** The job of a thread of `qc eval`: all columns over a range of samples. */
export async function openEvaluateJob(
  setup: EvaluateSetup,
): Promise<(request: EvaluateRequest) => Promise<BatchResult>> {
  const columns = await Promise.all(setup.columns.map(openColumn));
  const metric = setup.metric === undefined ? undefined : await loadMetric(setup.metric);
  let bad: BadSample[] = [];
  const source = await openData(setup, (columns[0] as Column).inputs, (b) => bad.push(b));
  let batches = 0;
  return async ({ from, to, scan }) => {
    bad = [];
    const samples: Sample[] = [];
    for await (const sample of source.samples(from, to)) if (!scan) samples.push(sample);
    checkLabels(columns, samples, setup.data.kind === 'fake');
    const result = await evaluateBatch(columns, samples, setup.how, metric);
    return { ...result, bad, warmUp: batches++ < setup.warmUpBatches };
  };
}
