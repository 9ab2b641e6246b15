import type { BadSample } from '../../data/sample.js';
import { type Summary, summarize } from '../statistics.js';
import type { BatchResult, SampleResult } from './batch.js';
import type { Metric } from './metric.js';

/** What is told of a column. Shares are in 0..1, times in milliseconds. */
export interface ColumnEvaluation {
  readonly name: string;
  /** Share of the samples whose label is among the k best classes, by k; empty without labels. */
  readonly accuracy: Readonly<Record<string, number>>;
  readonly loss?: number;
  /** Mean of the figures that the model computes itself, by output. */
  readonly own: Readonly<Record<string, number>>;
  readonly metric: Readonly<Record<string, number>>;
  /** Share of the samples with the class of the first column; absent in the first. */
  readonly agreement?: number;
  /** Mean over the samples of max |a - b| / max |b| against the first column; absent in the first. */
  readonly error?: number;
  /** Times of single runs without warm-up. */
  readonly latency: Summary;
  /** Samples per second over all threads, by the mean latency. */
  readonly throughput: number;
}

/** A class that was taken for another, and how often. */
export interface Confusion {
  readonly label: number;
  readonly predicted: number;
  readonly count: number;
}

/** How a class fared. */
export interface ClassAccuracy {
  readonly label: number;
  readonly samples: number;
  /** Right samples by column. */
  readonly correct: readonly number[];
}

/** A sample whose class is not the same in two columns. */
export interface Change {
  readonly index: number;
  readonly name: string;
  readonly label?: number;
  /** The best class by column. */
  readonly predicted: readonly number[];
}

/** What an evaluation found. */
export interface Evaluation {
  readonly samples: number;
  readonly labelled: number;
  readonly batches: number;
  readonly threads: number;
  readonly samplesPerRun: number;
  readonly columns: readonly ColumnEvaluation[];
  readonly bad: readonly BadSample[];
  /** The wrong classes of each column, the most frequent first. */
  readonly confusion: readonly (readonly Confusion[])[];
  readonly perClass: readonly ClassAccuracy[];
  readonly changed: readonly Change[];
  /** All times of each column, for a histogram. */
  readonly times: readonly (readonly number[])[];
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const numbersOf = (values: readonly (number | undefined)[]): number[] => values.filter((v) => v !== undefined);

/** The mean of each figure that the model computed. */
function ownFigures(results: readonly SampleResult[]): Record<string, number> {
  const given = results.flatMap((r) => (r.own ? [r.own] : []));
  const names = Object.keys(given[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, mean(given.map((own) => own[name] as number))]));
}

/** Collects the results of batches, which must come in the order of the samples. */
export class Collector {
  private readonly names: readonly string[];
  private readonly topK: readonly number[];
  private readonly metric: Metric | undefined;
  private readonly samples: BatchResult['samples'][number][] = [];
  private readonly results: SampleResult[][];
  private readonly times: number[][];
  private readonly warmUpTimes: number[][];
  private readonly bad: BadSample[] = [];
  private batches = 0;
  private units = 1;

  /** `topK` are the k of the accuracies that are told. */
  constructor(names: readonly string[], topK: readonly number[], metric?: Metric) {
    this.names = names;
    this.topK = topK;
    this.metric = metric;
    [this.results, this.times, this.warmUpTimes] = [names.map(() => []), names.map(() => []), names.map(() => [])];
  }

  add({ samples, columns, bad, units, warmUp }: BatchResult): void {
    this.batches++;
    if (samples.length > 0) this.units = units;
    this.bad.push(...bad);
    this.samples.push(...samples);
    for (const [c, column] of columns.entries()) {
      this.results[c]?.push(...column.samples);
      (warmUp ? this.warmUpTimes : this.times)[c]?.push(...column.times);
    }
  }

  /** Number of samples so far. */
  get count(): number {
    return this.samples.length;
  }

  /** Mean time of a run of a column so far, warm-up left out where there is more. */
  latency(column: number): number {
    return mean(this.timesOf(column));
  }

  private timesOf(column: number): readonly number[] {
    const warm = this.times[column] as number[];
    return warm.length > 0 ? warm : (this.warmUpTimes[column] as number[]);
  }

  /** Whether all samples together were fewer than the warm-up, whose times are told then. */
  get onlyWarmUp(): boolean {
    return this.times.every((list) => list.length === 0);
  }

  /** Share of the labelled samples with the label among the k best. */
  accuracy(column: number, k: number): number | undefined {
    let [right, all] = [0, 0];
    for (const [i, { label }] of this.samples.entries()) {
      const top = this.results[column]?.[i]?.top;
      // Of fewer than k classes every sample is among the k best, which says nothing.
      if (label === undefined || !top || top.length < k) continue;
      all++;
      if (top.slice(0, k).includes(label)) right++;
    }
    return all > 0 ? right / all : undefined;
  }

  /** The mean of each figure that the model computed itself. */
  own(column: number): Readonly<Record<string, number>> {
    return ownFigures(this.results[column] as SampleResult[]);
  }

  /** Whether a sample has one best class in all columns but not the same. */
  private isChanged(i: number): boolean {
    const best = this.results.map((list) => list[i]?.top?.[0]);
    return best.every((b) => b !== undefined) && best.some((b) => b !== best[0]);
  }

  private agreement(column: number): number | undefined {
    const pairs = this.samples.map((_, i) => [this.results[0]?.[i]?.top?.[0], this.results[column]?.[i]?.top?.[0]]);
    const known = pairs.filter(([a, b]) => a !== undefined && b !== undefined);
    return known.length > 0 ? known.filter(([a, b]) => a === b).length / known.length : undefined;
  }

  private column(c: number, threads: number): ColumnEvaluation {
    const results = this.results[c] as SampleResult[];
    const losses = numbersOf(results.map((r) => r.loss));
    const accuracies = this.topK.map((k): [string, number | undefined] => [String(k), this.accuracy(c, k)]);
    const agreement = c > 0 ? this.agreement(c) : undefined;
    const errors = numbersOf(results.map((r) => r.error));
    const latency = summarize(this.timesOf(c));
    return {
      name: this.names[c] as string,
      accuracy: Object.fromEntries(accuracies.filter((a): a is [string, number] => a[1] !== undefined)),
      ...(losses.length > 0 && losses.length === results.length ? { loss: mean(losses) } : {}),
      own: this.own(c),
      metric: this.metric ? this.metric.summarize(results.map((r) => r.score)) : {},
      ...(agreement === undefined ? {} : { agreement }),
      ...(errors.length > 0 ? { error: mean(errors) } : {}),
      latency,
      throughput: (1000 * threads * this.units) / latency.mean,
    };
  }

  private confusionOf(results: readonly SampleResult[]): Confusion[] {
    const counts = new Map<string, Confusion>();
    for (const [i, { label }] of this.samples.entries()) {
      const predicted = results[i]?.top?.[0];
      if (label === undefined || predicted === undefined || predicted === label) continue;
      const key = `${label} ${predicted}`;
      counts.set(key, { label, predicted, count: (counts.get(key)?.count ?? 0) + 1 });
    }
    return [...counts.values()].sort((a, b) => b.count - a.count || a.label - b.label || a.predicted - b.predicted);
  }

  private perClass(): ClassAccuracy[] {
    const classes = new Map<number, { samples: number; correct: number[] }>();
    for (const [i, { label }] of this.samples.entries()) {
      if (label === undefined) continue;
      const entry = classes.get(label) ?? { samples: 0, correct: this.names.map(() => 0) };
      entry.samples++;
      for (const [c, list] of this.results.entries())
        if (list[i]?.top?.[0] === label) entry.correct[c] = (entry.correct[c] as number) + 1;
      classes.set(label, entry);
    }
    return [...classes].map(([label, entry]) => ({ label, ...entry })).sort((a, b) => a.label - b.label);
  }

  /** Everything that was found. */
  finish(threads: number): Evaluation {
    const changed = this.samples.flatMap((sample, i) =>
      this.isChanged(i) ? [{ ...sample, predicted: this.results.map((list) => list[i]?.top?.[0] as number) }] : [],
    );
    return {
      samples: this.samples.length,
      labelled: this.samples.filter((s) => s.label !== undefined).length,
      batches: this.batches,
      threads,
      samplesPerRun: this.units,
      columns: this.names.map((_, c) => this.column(c, threads)),
      bad: this.bad,
      confusion: this.results.map((results) => this.confusionOf(results)),
      perClass: this.perClass(),
      changed,
      times: this.names.map((_, c) => this.timesOf(c)),
    };
  }
}
