import type { BadSample, Sample } from '../../data/sample.js';
import type { Tensor } from '../../ir/tensor.js';
import { type Classification, classify } from './classify.js';
import { type Column, figuresOf, type OutputTensor, outputsOfUnit, predictionOf } from './column.js';
import { feedsOf, rolesOf, unitsPerRun } from './feeds.js';
import type { Metric, MetricTensor } from './metric.js';

/** How outputs are judged. All can be cloned. */
export interface Judgement {
  /** So many best classes are kept. */
  readonly k: number;
  /** What is added to the index of an output to get a label. */
  readonly offset: number;
  /** The output that says the class. */
  readonly output?: string;
}

/** What a column made of one sample. */
export interface SampleResult extends Partial<Classification> {
  /** The figures of an accuracy layer by name, on the first sample of each run that was full. */
  readonly own?: Readonly<Record<string, number>>;
  /** What the metric said. */
  readonly score?: unknown;
  /** The greatest difference to the first column's output, by its greatest magnitude. */
  readonly error?: number;
}

/** What a column made of a batch. */
export interface ColumnBatch {
  /** Milliseconds of each run. */
  readonly times: readonly number[];
  readonly samples: readonly SampleResult[];
}

/** A batch of samples through all columns. */
export interface BatchResult {
  readonly samples: readonly { readonly index: number; readonly name: string; readonly label?: number }[];
  readonly columns: readonly ColumnBatch[];
  readonly bad: readonly BadSample[];
  /** Samples of one run. */
  readonly units: number;
  /** Whether the times are those of warm-up. */
  readonly warmUp: boolean;
}

const asMetricTensor = ({ type, data }: Tensor): MetricTensor => ({
  dtype: type.dtype,
  shape: type.shape,
  data,
});

/** max |a - b| / max |b|; undefined where the outputs do not compare. */
function relativeError(a: OutputTensor | undefined, b: OutputTensor | undefined): number | undefined {
  if (!a || !b || !(a.data instanceof Float32Array) || !(b.data instanceof Float32Array)) return undefined;
  if (a.data.length !== b.data.length) return undefined;
  let [error, scale] = [0, 0];
  for (let i = 0; i < b.data.length; i++) {
    error = Math.max(error, Math.abs((a.data[i] as number) - (b.data[i] as number)));
    scale = Math.max(scale, Math.abs(b.data[i] as number));
  }
  return scale > 0 ? error / scale : error;
}

/** The output that two columns are compared by: the one that says the class, else the first of reals. */
const comparedOutput = (outputs: readonly OutputTensor[], named: string | undefined): OutputTensor | undefined =>
  predictionOf(outputs, named) ?? outputs.find((o) => o.type.dtype === 'f32');

/** Runs a column on a batch; gives the times, and the outputs of every sample. */
async function runColumn(
  column: Column,
  samples: readonly Sample[],
  units: number,
): Promise<{ times: number[]; outputs: OutputTensor[][] }> {
  const roles = rolesOf(column.inputs);
  const times: number[] = [];
  const outputs: OutputTensor[][] = [];
  for (let start = 0; start < samples.length; start += units) {
    const part = samples.slice(start, start + units);
    const feeds = feedsOf(roles, part, units);
    const begin = performance.now();
    const results = await column.run(feeds);
    times.push(performance.now() - begin);
    for (let unit = 0; unit < part.length; unit++) outputs.push(outputsOfUnit(column.outputs, results, units, unit));
  }
  return { times, outputs };
}

/** Judges the outputs of one sample. */
function judge(
  sample: Sample,
  outputs: readonly OutputTensor[],
  reference: readonly OutputTensor[],
  { how, metric, full }: { how: Judgement; metric: Metric | undefined; full: boolean },
): SampleResult {
  const { k, offset, output } = how;
  const prediction = predictionOf(outputs, output);
  const figures = full ? figuresOf(outputs).filter((f) => f !== prediction) : [];
  const { index, name, label, targets = [] } = sample;
  const error =
    outputs === reference
      ? undefined
      : relativeError(comparedOutput(outputs, output), comparedOutput(reference, output));
  return {
    ...(prediction ? classify(prediction, { k, offset, label, name }) : {}),
    ...(figures.length > 0 ? { own: Object.fromEntries(figures.map((f) => [f.name, Number(f.data[0])])) } : {}),
    ...(error === undefined ? {} : { error }),
    ...(metric
      ? {
          score: metric.score({
            index,
            name,
            label,
            outputs: Object.fromEntries(outputs.map((o) => [o.name, asMetricTensor(o)])),
            targets: targets.map((t) => asMetricTensor(t.tensor)),
          }),
        }
      : {}),
  };
}

/**
 * Runs a batch of samples through all columns, one column after the other so that none has a warmer machine, and
 * judges every sample.
 */
export async function evaluateBatch(
  columns: readonly Column[],
  samples: readonly Sample[],
  how: Judgement,
  metric?: Metric,
): Promise<Omit<BatchResult, 'bad' | 'warmUp'>> {
  const [first] = samples;
  const units = first ? unitsPerRun(rolesOf(columns[0]?.inputs ?? []), first) : 1;
  const made: ColumnBatch[] = [];
  let reference: OutputTensor[][] | undefined;
  for (const column of columns) {
    const { times, outputs } = await runColumn(column, samples, units);
    reference ??= outputs;
    const judged = samples.map((sample, i) => {
      const [mine, other] = [outputs[i] as OutputTensor[], reference?.[i] as OutputTensor[]];
      const full = i % units === 0 && samples.length - i >= units;
      return judge(sample, mine, other, { how, metric, full });
    });
    made.push({ times, samples: judged });
  }
  const described = samples.map(({ index, name, label }) => ({
    index,
    name,
    ...(label === undefined ? {} : { label }),
  }));
  return { samples: described, columns: made, units };
}
