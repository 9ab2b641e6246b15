import type { CompileResult } from '../../compile.js';
import type { Sample } from '../../data/sample.js';
import { isConversion } from '../../describe-ops.js';
import type { CompileOptions } from '../../options.js';
import type { ModelFiles } from '../../support/model-files.js';
import type { ComparedTensor } from './compare.js';
import { openNetwork } from './network.js';
import { DistanceSum } from './statistics.js';
import { sourceName } from './value-names.js';

/** What the trials of a comparison share. */
export interface Trial {
  readonly model: Uint8Array | ModelFiles;
  readonly samples: readonly Sample[];
  readonly options: CompileOptions;
  /** The judged outputs by name. */
  readonly outputs: readonly string[];
  /** What the network in float makes of each sample: its judged outputs, by name. */
  readonly references: readonly ReadonlyMap<string, ArrayLike<number>>[];
  /** The worst output of the network in int8, in dB. */
  readonly sqnr: number;
  readonly step: (done: number, total: number, what: string) => void;
}

/** How much one layer has to do with the error of the outputs. */
export interface Sensitivity {
  readonly id: number;
  readonly type: string;
  /** Signal to noise of the worst output with this layer alone in int8; infinite where it is not int8 alone. */
  readonly alone: number;
  /** dB that the worst output gains with this layer alone in float. */
  readonly gain: number;
}

/** Signal to noise of the worst output with some ops in float, against the network in float. */
export async function sqnrWithout(trial: Trial, ids: readonly number[]): Promise<number> {
  const { model, samples, options, references, outputs } = trial;
  const opIdsToSkip = [...new Set([...(options.opIdsToSkip ?? []), ...ids])];
  const { requireInt8: _, ...others } = options;
  const network = await openNetwork(model, { ...others, opIdsToSkip, taps: 'all' });
  const sums = outputs.map((name) => [name, new DistanceSum(undefined)] as const);
  for (const [i, sample] of samples.entries()) {
    const actual = network.run(sample);
    for (const [name, sum] of sums) {
      const [x, y] = [references[i]?.get(name), actual.get(name)];
      if (x && y) sum.add(x, y);
    }
  }
  return Math.min(...sums.map(([, sum]) => sum.result().sqnr));
}

/** Ids of the ops that are int8, in execution order. */
export const int8Ops = ({ report }: CompileResult): { readonly id: number; readonly type: string }[] =>
  report.ops.filter((op) => op.int8 && !isConversion(op)).map(({ id, type }) => ({ id, type }));

/** Differences of SQNR stay numbers: exact results count as 100 dB. */
export const bounded = (sqnr: number): number => Math.max(-100, Math.min(100, sqnr));

/**
 * Quantizes each layer alone, and leaves each alone in float: the layers at which most is lost first,
 * at most `limit` of them. The worst layer comes first: by what its absence gains, then by its error alone.
 */
export async function sensitivityOf(
  trial: Trial,
  tensors: readonly ComparedTensor[],
  result: CompileResult,
  limit = Number.POSITIVE_INFINITY,
): Promise<Sensitivity[]> {
  const ops = int8Ops(result);
  const lost = new Map(tensors.map((t) => [t.name, t.loss]));
  const loss = new Map(
    result.explanation.ops.map((op) => {
      const near = [...op.results, ...op.operands].map((name) => lost.get(sourceName(name)) ?? 0);
      return [op.id, Math.max(0, ...near)] as const;
    }),
  );
  const chosen = [...ops].sort((a, b) => (loss.get(b.id) ?? 0) - (loss.get(a.id) ?? 0)).slice(0, limit);
  const found: Sensitivity[] = [];
  for (const [i, { id, type }] of chosen.entries()) {
    trial.step(i, chosen.length, `layer ${type} (${id})`);
    const others = ops.filter((op) => op.id !== id).map((op) => op.id);
    const alone = await sqnrWithout(trial, others);
    const without = await sqnrWithout(trial, [id]);
    found.push({ id, type, alone, gain: bounded(without) - bounded(trial.sqnr) });
  }
  return found.sort((a, b) => b.gain - a.gain || a.alone - b.alone);
}
