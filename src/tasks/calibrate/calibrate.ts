import { compile, hashModel, lower, passContext } from '../../compile.js';
import type { Sample, SampleInput, SampleSource } from '../../data/sample.js';
import type { CompileOptions } from '../../options.js';
import { resolveOptions } from '../../options.js';
import { type ScaleTarget, scaleTargets } from '../../passes/scale-targets.js';
import type { Calibration } from '../../quant/calibration.js';
import type { Scheme } from '../../quant/thresholds.js';
import { createLoader } from '../../runtime/loader.js';
import type { Net } from '../../runtime/net.js';
import { modelError, usageError } from '../../support/errors.js';
import type { ModelFiles } from '../../support/model-files.js';
import { parseAlgorithms, usesAlgorithm } from './algorithms.js';
import { betterScheme, type Choice, chooseGrids, suspicion, type ValueReport } from './choose.js';
import { feed, NotFinite, Observer } from './observe.js';
import type { Recovered } from './recover.js';
import type { Recovery } from './recoveries.js';
import { gridOfEntry, type ScaleTable } from './scale-table.js';
import type { Statistics } from './statistics.js';

/** A model as the compiler takes it. */
export type Model = Uint8Array | ModelFiles;

/** What `calibrate` can be told; every field has a default. */
export interface CalibrateOptions
  extends Pick<
    CompileOptions,
    'file' | 'batch' | 'inputShapes' | 'inputValues' | 'paramsFile' | 'opsToQuantize' | 'opIdsToSkip'
  > {
  /** One algorithm, and others by op type: `mse,concat=minmax`. */
  readonly algorithm?: string;
  /** Per cent of the elements that `percentile` keeps at either end. */
  readonly percentile?: number;
  readonly scheme?: Scheme | 'auto';
  /** A scale per output channel of weights, or one per tensor. */
  readonly weights?: 'per-channel' | 'per-tensor';
  /** Samples whose range is one step of `moving-average`. */
  readonly batchSize?: number;
  /** Ways to win back accuracy with the samples (recover.ts); correction of the biases by default. */
  readonly recover?: readonly Recovery[];
  /** Called after every sample. */
  readonly onSample?: (done: number, total: number) => void;
}

const DEFAULT_ALGORITHM = 'mse';
const DEFAULT_PERCENTILE = 99.99;

/** What calibration gives: grids for `CompileOptions.calibration` and how they came about. */
export interface Calibrated {
  readonly calibration: Calibration;
  readonly scheme: Scheme;
  /** Mean signal to noise of the values' grids in dB, by scheme, where `auto` compared them. */
  readonly schemes: Readonly<Partial<Record<Scheme, number>>>;
  readonly samples: number;
  readonly values: readonly ValueReport[];
  readonly warnings: readonly string[];
  /** What recovery did with the samples; null without it. */
  readonly recovered: Omit<Recovered, 'calibration'> | null;
}

/** A calibration that only equalizes: with it, the float network is the one that scales are chosen for. */
const EQUALIZED: Calibration = { values: new Map(), equalized: true, perChannel: true, products: new Map() };

const equalizes = ({ recover }: CalibrateOptions): boolean => recover?.includes('equalize') ?? false;

/** The options of the float network that is looked at. */
export function floatOptions(options: CalibrateOptions): CompileOptions {
  const { file, batch, inputShapes, inputValues, paramsFile } = options;
  const calibration = equalizes(options) ? EQUALIZED : undefined;
  const given = { file, batch, inputShapes, inputValues, paramsFile, calibration };
  return Object.fromEntries(Object.entries(given).filter(([, v]) => v !== undefined)) as CompileOptions;
}

/** The options of the int8 network that comes of it, without its calibration. */
export function int8Options(options: CalibrateOptions): CompileOptions {
  const { opsToQuantize, opIdsToSkip } = options;
  const chosen = Object.entries({ opsToQuantize, opIdsToSkip }).filter(([, v]) => v !== undefined);
  return { ...floatOptions(options), ...Object.fromEntries(chosen) };
}

function checkOptions(options: CalibrateOptions): void {
  const { percentile = DEFAULT_PERCENTILE, scheme = 'auto', weights = 'per-channel' } = options;
  if (!(percentile > 50 && percentile <= 100))
    throw usageError(`a percentile of ${percentile} is not above 50 and up to 100`);
  if (!['s8', 'u8', 'auto'].includes(scheme))
    throw usageError(`unknown scheme "${scheme}"`, { remedy: 'Use s8, u8 or auto.' });
  if (!['per-channel', 'per-tensor'].includes(weights))
    throw usageError(`unknown form of weights "${weights}"`, { remedy: 'Use per-channel or per-tensor.' });
}

/** The values of a float model that take scales. Throws a usage error for a model that is quantized already. */
export function targetsOf(model: Model, options: CalibrateOptions = {}): ScaleTarget[] {
  const resolved = resolveOptions(int8Options(options));
  const { graph } = lower(model, resolved, 'fused');
  const rounded = [...graph.values.values()].some((v) => v.type.quant !== undefined);
  if (rounded)
    throw usageError('the model is quantized already: it carries scales', {
      file: resolved.file,
      remedy: 'qc compile compiles it as it is; calibrate the float model.',
    });
  const targets = scaleTargets(graph, passContext(resolved));
  if (targets.length === 0)
    throw modelError('nothing in the model can be int8: it has no convolution or product with constant weights', {
      file: resolved.file,
    });
  return targets;
}

/** The inputs of a model, as readers of samples need them. */
export function inputsOf(model: Model, options: CalibrateOptions = {}): SampleInput[] {
  const { graph } = lower(model, resolveOptions(floatOptions(options)), 'fused');
  return graph.inputs.map((id) => {
    const { name, type } = graph.value(id);
    return { name, dtype: type.dtype, shape: type.shape };
  });
}

async function floatNet(model: Model, options: CalibrateOptions, taps: readonly string[] | 'all'): Promise<Net> {
  const { wasm, report } = await compile(model, { ...floatOptions(options), precision: 'fp32', taps });
  return createLoader(report.name, () => '').loadSync(wasm);
}

/** What identifies the network that statistics are of. */
async function identity(model: Model, targets: readonly ScaleTarget[], options: CalibrateOptions): Promise<string> {
  const sources = [...new Set(targets.map((t) => t.source))];
  const { batch, inputShapes, inputValues } = options;
  const key = { batch, inputShapes, inputValues, sources, ...(equalizes(options) && { equalized: true }) };
  return hashModel(model, resolveOptions(floatOptions(options)), JSON.stringify(key));
}

/**
 * Runs the float network over samples and counts what its values are. Samples are read one at a time; nothing grows with
 * their number. `part` limits the samples to a shard, `[from, to)`.
 */
export async function observe(
  model: Model,
  source: SampleSource,
  options: CalibrateOptions = {},
  part: readonly [from: number, to: number] = [0, source.length],
): Promise<Statistics> {
  checkOptions(options);
  const targets = targetsOf(model, options);
  const choice = parseAlgorithms(options.algorithm ?? '', DEFAULT_ALGORITHM);
  const net = await floatNet(model, options, sourcesToTap(targets));
  const averages = usesAlgorithm(choice, 'moving-average');
  if (averages && part[1] - part[0] < source.length) throw orderMatters();
  const observer = new Observer(net, targets, { batchSize: options.batchSize ?? 1, averages });
  const total = part[1] - part[0];
  for await (const sample of source.samples(...part)) {
    try {
      observer.add(sample);
    } catch (error) {
      throw error instanceof NotFinite ? await notFiniteError(model, options, sample, error.target) : error;
    }
    options.onSample?.(observer.samples, total);
  }
  if (observer.samples === 0)
    throw modelError('there are no samples to calibrate with', { remedy: 'Give at least one; a hundred are usual.' });
  const { samples, seen } = observer;
  return { model: await identity(model, targets, options), samples, seen, values: observer.finish() };
}

const orderMatters = (): Error =>
  usageError('moving-average depends on the order of the samples: shards of them cannot be merged', {
    remedy: 'Use minmax, percentile, kl, mse or aciq, or one process.',
  });

const sourcesToTap = (targets: readonly ScaleTarget[]): string[] => [
  ...new Set(targets.flatMap((t) => (t.node ? [t.source] : []))),
];

/** Names the first value on the way that is not finite; the one with a scale may come long after it. */
async function notFiniteError(
  model: Model,
  options: CalibrateOptions,
  sample: Sample,
  target: ScaleTarget,
): Promise<Error> {
  const net = await floatNet(model, options, 'all');
  feed(net, sample);
  net.runInPlace();
  const bad = (data: ArrayLike<number>): boolean => Array.prototype.some.call(data, (v: number) => !Number.isFinite(v));
  const { graph } = lower(model, resolveOptions({ ...floatOptions(options), precision: 'fp32', taps: 'all' }));
  const producers = graph.producers();
  const order = [...graph.outputs].sort(
    (a, b) =>
      graph.nodes.indexOf(producers.get(a.value) as never) - graph.nodes.indexOf(producers.get(b.value) as never),
  );
  const first =
    target.node && order.find(({ name, value }) => producers.has(value) && bad(net.output(name) as Float32Array));
  const node = first && producers.get(first.value);
  const where = node
    ? `${node.op} (${node.id})${node.origin.name && ` "${node.origin.name}"`}`
    : `input "${target.source}"`;
  return modelError(`the values of "${first?.name ?? target.source}" are not finite (NaN or infinite)`, {
    file: sample.name,
    node: where,
    remedy: 'Check the sample and its preprocessing (mean, std, layout); a model that overflows cannot be quantized.',
  });
}

/** Chooses grids from statistics. Throws a usage error for statistics of another model. */
export async function calibrateFrom(
  model: Model,
  statistics: Statistics,
  options: CalibrateOptions = {},
): Promise<Calibrated> {
  checkOptions(options);
  const targets = targetsOf(model, options);
  if (statistics.model !== (await identity(model, targets, options)))
    throw usageError('the statistics are of another model, or of other shapes or ops');
  const algorithms = parseAlgorithms(options.algorithm ?? '', DEFAULT_ALGORITHM);
  if (usesAlgorithm(algorithms, 'moving-average') && ![...statistics.values.values()].every((v) => v.average))
    throw orderMatters();
  const choose = (scheme: Scheme): Choice =>
    chooseGrids(targets, statistics, scheme, { algorithms, percentile: options.percentile ?? DEFAULT_PERCENTILE });
  const { scheme = 'auto' } = options;
  const tried = (scheme === 'auto' ? (['s8', 'u8'] as const) : [scheme]).map(choose);
  const [first, second] = tried as [Choice, Choice | undefined];
  const chosen = second ? betterScheme(first, second) : first;
  return {
    calibration: calibrationOf(chosen.values, options),
    scheme: chosen.scheme,
    schemes: Object.fromEntries(tried.map((c) => [c.scheme, c.sqnr])),
    samples: statistics.samples,
    values: chosen.reports,
    warnings: warningsOf(statistics),
    recovered: null,
  };
}

/** A calibration with the grids of a table, read from a file or made by hand. */
export function calibrationOfTable(table: ScaleTable, options: CalibrateOptions = {}): Calibration {
  checkOptions(options);
  const grids = Object.entries(table.values).map(([name, entry]) => [name, gridOfEntry(entry)] as const);
  return { ...calibrationOf(new Map(grids), options), equalized: table.equalized };
}

const calibrationOf = (values: Calibration['values'], options: CalibrateOptions): Calibration => ({
  values,
  equalized: equalizes(options),
  perChannel: options.weights !== 'per-tensor',
  products: new Map(),
});

function warningsOf({ samples, seen, values }: Statistics): string[] {
  const alike =
    samples > 1 && seen.size === 1
      ? [`all ${samples} samples are alike`]
      : seen.size < samples
        ? [`${samples - seen.size} of ${samples} samples occurred before`]
        : [];
  return [...alike, ...[...values].flatMap(([name, { histogram }]) => suspicion(name, histogram) ?? [])];
}
