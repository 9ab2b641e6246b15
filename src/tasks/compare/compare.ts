import type { Sample } from '../../data/sample.js';
import { isConversion } from '../../describe-ops.js';
import type { CompileOptions } from '../../options.js';
import { usageError } from '../../support/errors.js';
import type { ModelFiles } from '../../support/model-files.js';
import { gridRange, type Network, openNetwork } from './network.js';
import { type Sensitivity, sensitivityOf, type Trial } from './sensitivity.js';
import { type Distance, DistanceSum } from './statistics.js';
import { type Suggestion, suggest } from './suggest-skips.js';
import { judgedNames, sourceName } from './value-names.js';

/** What can be asked of a comparison. */
export interface CompareOptions {
  /** How the model is compiled; its precision must be int8. */
  readonly compile: CompileOptions;
  /** So many layers are tried one by one, those with the most error first; all by default. */
  readonly sensitivity?: number;
  /** Called before each step with what is done, for a progress bar. */
  readonly onStep?: (done: number, total: number, what: string) => void;
}

/** A tensor of the network, computed in three ways. */
export interface ComparedTensor {
  readonly name: string;
  /** The op that makes it. */
  readonly op: { readonly id: number; readonly type: string; readonly int8: boolean } | null;
  readonly type: string;
  /** int8 against float, fake-quantized against float, int8 against fake-quantized. */
  readonly int8: Distance;
  readonly fake: Distance;
  readonly exact: Distance;
  /** dB that are lost from the worst operand of the op to this tensor. */
  readonly loss: number;
}

/** What a comparison finds. */
export interface Comparison {
  readonly samples: number;
  /** Tensors in the order in which they are computed. */
  readonly tensors: readonly ComparedTensor[];
  /** Names of the tensors by which the network is judged: its outputs, or what a softmax behind reads. */
  readonly outputs: readonly string[];
  /** The worst of these: int8 against float. */
  readonly sqnr: number;
  /** The first tensor where more is lost than int8 has to lose; null where there is none. */
  readonly firstBad: string | null;
  /** Layers one by one, the worst first. */
  readonly sensitivity: readonly Sensitivity[];
  readonly suggestion: Suggestion | null;
}

/** An error that 8 bits do not explain: below so many dB, with so many dB lost in one op. */
const [POOR, LOST] = [25, 6];

/**
 * Compares a quantized model in float, fake-quantized and in int8 at every tensor that all three have, over samples; then
 * quantizes each layer alone, and leaves each alone in float. Throws a usage error where there is nothing to compare.
 */
export async function compareModel(
  model: Uint8Array | ModelFiles,
  samples: readonly Sample[],
  options: CompareOptions,
): Promise<Comparison> {
  if (samples.length === 0) throw usageError('there are no samples to compare on');
  const step = options.onStep ?? (() => {});
  const base: CompileOptions = { ...options.compile, taps: 'all' };
  step(0, 3, 'compiling in float');
  const float = await openNetwork(model, { ...withoutChoice(base), precision: 'fp32' });
  step(1, 3, 'compiling fake-quantized');
  const fake = await openNetwork(model, { ...withoutChoice(base), precision: 'fake-quantized' });
  step(2, 3, 'compiling in int8');
  const int8 = await openNetwork(model, base);
  if (!int8.result.report.ops.some((op) => op.int8 && !isConversion(op)))
    throw usageError('no op of the model is int8: there is nothing to compare', {
      remedy: 'qc inspect says why; a float model needs calibration first.',
    });
  const plain = await openNetwork(model, options.compile);
  const tensors = compareTensors(float, fake, int8, samples, step);
  const known = new Set(tensors.map((t) => t.name));
  const outputs = judgedNames(
    int8.result.explanation,
    plain.net.outputs.map((o) => o.name),
    known,
  );
  const sqnr = Math.min(...tensors.filter((t) => outputs.includes(t.name)).map((t) => t.int8.sqnr));
  const firstBad = tensors.find((t) => t.int8.sqnr < POOR && t.loss > LOST)?.name ?? null;
  const references = samples.map(
    (sample) => new Map([...float.run(sample)].filter(([name]) => outputs.includes(name))),
  );
  const context: Trial = { model, samples, options: options.compile, references, outputs, sqnr, step };
  const sensitivity = await sensitivityOf(context, tensors, int8.result, options.sensitivity);
  const suggestion = await suggest(context, sensitivity, tensors, int8.result);
  return { samples: samples.length, tensors, outputs, sqnr, firstBad, sensitivity, suggestion };
}

/** Everything in float takes no choice of ops. */
function withoutChoice({
  opsToQuantize: _,
  opIdsToSkip: __,
  requireInt8: ___,
  ...rest
}: CompileOptions): CompileOptions {
  return rest;
}

function compareTensors(
  float: Network,
  fake: Network,
  int8: Network,
  samples: readonly Sample[],
  step: NonNullable<CompareOptions['onStep']>,
): ComparedTensor[] {
  const names = [...int8.tensors.keys()].filter((name) => float.tensors.has(name) && fake.tensors.has(name));
  const sums = new Map(
    names.map((name) => {
      const grid = gridRange(int8.tensors.get(name) ?? { name, dtype: 'f32', shape: [], offset: 0 });
      return [name, [new DistanceSum(grid), new DistanceSum(grid), new DistanceSum(grid)] as const] as const;
    }),
  );
  samples.forEach((sample, i) => {
    step(i, samples.length, `sample ${sample.name}`);
    const [a, b, c] = [float.run(sample), fake.run(sample), int8.run(sample)];
    for (const [name, [quantized, faked, exact]] of sums) {
      const [x, y, z] = [a.get(name) ?? [], b.get(name) ?? [], c.get(name) ?? []];
      quantized.add(x, z);
      faked.add(x, y);
      exact.add(y, z);
    }
  });
  return describeTensors(int8, sums);
}

/** The tensors in the order of their ops, with what each op loses. */
function describeTensors(
  int8: Network,
  sums: ReadonlyMap<string, readonly [DistanceSum, DistanceSum, DistanceSum]>,
): ComparedTensor[] {
  const { ops } = int8.result.explanation;
  const infos = new Map(int8.result.report.ops.map((op) => [op.id, op]));
  const found: ComparedTensor[] = [];
  const sqnr = new Map<string, number>();
  const add = (name: string, op: ComparedTensor['op'], operands: readonly string[]): void => {
    const three = sums.get(name);
    if (!three || sqnr.has(name)) return;
    const [a, b, c] = three.map((sum) => sum.result()) as [Distance, Distance, Distance];
    const before = Math.min(Number.POSITIVE_INFINITY, ...operands.map((o) => sqnr.get(sourceName(o)) ?? 80));
    const loss = Math.max(0, Math.min(before, 80) - a.sqnr);
    sqnr.set(name, a.sqnr);
    const { dtype, shape } = int8.tensors.get(name) ?? { dtype: 'f32', shape: [] };
    found.push({ name, op, type: `${dtype}[${shape.join('x')}]`, int8: a, fake: b, exact: c, loss });
  };
  for (const op of ops) {
    const info = infos.get(op.id);
    const conversion = info !== undefined && isConversion(info);
    for (const name of op.results)
      add(sourceName(name), conversion || !info ? null : { id: op.id, type: op.type, int8: info.int8 }, op.operands);
  }
  for (const name of sums.keys()) add(name, null, []);
  return found;
}
