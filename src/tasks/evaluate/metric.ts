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

/** What a function of a metric gives; what it throws is the user's to read, and names the file. */
function ask<T>(file: string, what: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const { message = String(cause) } = (cause ?? {}) as Partial<Error>;
    throw usageError(`the metric cannot ${what}: ${message}`, { file, cause });
  }
}

/** Throws unless these are figures by name. */
function checkFigures(figures: unknown): Readonly<Record<string, number>> {
  if (typeof figures !== 'object' || figures === null)
    throw new Error(`summarize gives ${figures === null ? 'null' : typeof figures} instead of an object of numbers`);
  const odd = Object.entries(figures).find(([, figure]) => typeof figure !== 'number');
  if (odd) throw new Error(`"${odd[0]}" is of type ${typeof odd[1]} instead of number`);
  return figures as Record<string, number>;
}

/**
 * Checks what a module exports; the metric that comes back throws usage errors that name the file, whatever its functions
 * throw, and for scores that cannot be cloned and figures that are no numbers. Throws a usage error.
 */
export function checkMetric(value: unknown, file: string): Metric {
  const metric = value as Partial<Metric> | undefined;
  if (typeof metric?.score !== 'function' || typeof metric.summarize !== 'function')
    throw usageError(`${file} exports no metric`, {
      remedy: 'Its default export is an object with the functions score(sample) and summarize(scores).',
    });
  const { name } = metric;
  return {
    ...(name === undefined ? {} : { name }),
    score: (sample) => ask(file, `score ${sample.name}`, () => structuredClone(metric.score?.(sample))),
    summarize: (scores) => ask(file, 'summarize', () => checkFigures(metric.summarize?.(scores))),
  };
}
