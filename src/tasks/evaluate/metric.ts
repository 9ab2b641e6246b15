import type { TensorData } from '../../ir/tensor.js';
import type { TensorType } from '../../ir/type.js';
import { usageError } from '../../support/errors.js';

/** A tensor as a metric sees it: row-major data with its shape. */
export interface MetricTensor {
  readonly dtype: TensorType['dtype'];
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** What a metric gets of one sample. */
export interface MetricSample {
  readonly index: number;
  readonly name: string;
  readonly label: number | undefined;
  /** The network's outputs by name. */
  readonly outputs: Readonly<Record<string, MetricTensor>>;
  /** What the data set has to compare with, in order. */
  readonly targets: readonly MetricTensor[];
}

/**
 * A measure of a task. `score` sees one sample at a time, perhaps in a worker thread, and gives anything that can be
 * cloned; `summarize` sees all scores in the order of the samples, however many threads there were, and gives figures
 * by name. The first figure is the one that --max-accuracy-drop watches.
 */
export interface Metric {
  readonly name?: string;
  score(sample: MetricSample): unknown;
  summarize(scores: readonly unknown[]): Readonly<Record<string, number>>;
}

/** Checks what a module exports. Throws a usage error. */
export function checkMetric(value: unknown, file: string): Metric {
  const metric = value as Partial<Metric> | undefined;
  if (typeof metric?.score === 'function' && typeof metric.summarize === 'function') return metric as Metric;
  throw usageError(`${file} exports no metric`, {
    remedy: 'Its default export is an object with the functions score(sample) and summarize(scores).',
  });
}
