import type { CompileResult } from '../../compile.js';
import type { ComparedTensor } from './compare.js';
import { bounded, int8Ops, type Sensitivity, sqnrWithout, type Trial } from './sensitivity.js';
import { sourceName } from './value-names.js';

/** Ops that had better stay in float. */
export interface Suggestion {
  /** For --op-ids-to-skip. */
  readonly ids: readonly number[];
  /** Signal to noise of the worst output then. */
  readonly sqnr: number;
  readonly gain: number;
}

/** dB that a suggestion has to gain, and that one more op in it has to add. */
const [WORTH, WORTH_ONE_MORE] = [3, 3];

/** Values whose readers are tried together. */
const VALUES = 3;

/**
 * Tries sets of ops in float: the layers that gain most, one after another, and for the tensors that lose most all that
 * read them, since a value with a bad scale is cured only where nobody reads its codes. Null where nothing gains enough.
 */
export async function suggest(
  trial: Trial,
  sensitivity: readonly Sensitivity[],
  tensors: readonly ComparedTensor[],
  result: CompileResult,
): Promise<Suggestion | null> {
  const known = new Map<string, number>(sensitivity.map((s) => [String(s.id), bounded(trial.sqnr) + s.gain]));
  const tried = async (ids: readonly number[]): Promise<Suggestion> => {
    const key = [...ids].sort((a, b) => a - b).join();
    const sqnr = known.get(key) ?? (await sqnrWithout(trial, ids));
    known.set(key, sqnr);
    return { ids, sqnr, gain: bounded(sqnr) - bounded(trial.sqnr) };
  };
  const value = ({ ids, gain }: Suggestion): number => gain - WORTH_ONE_MORE * (ids.length - 1);
  let best: Suggestion = { ids: [], sqnr: trial.sqnr, gain: 0 };
  const sets = [...readerSets(tensors, result), ...sensitivity.slice(0, 1).map((s) => [s.id])];
  for (const [i, ids] of sets.entries()) {
    trial.step(i, sets.length, `ops ${ids.join(', ')} in float`);
    const suggestion = await tried(ids);
    if (value(suggestion) > value(best)) best = suggestion;
  }
  for (const { id } of sensitivity.slice(0, 2)) {
    if (best.ids.includes(id)) continue;
    const more = await tried([...best.ids, id]);
    if (value(more) > value(best)) best = more;
  }
  return best.gain >= WORTH ? best : null;
}

/** For the tensors at which most is lost: the int8 ops that read them, with and without the op that makes them. */
function readerSets(tensors: readonly ComparedTensor[], result: CompileResult): number[][] {
  const int8 = new Set(int8Ops(result).map((op) => op.id));
  const { ops } = result.explanation;
  const worst = [...tensors].sort((a, b) => b.loss - a.loss).slice(0, VALUES);
  return worst.flatMap(({ name, op }) => {
    const readers = ops
      .filter((o) => int8.has(o.id) && o.operands.some((v) => sourceName(v) === name))
      .map((o) => o.id);
    if (readers.length === 0) return op && int8.has(op.id) ? [[op.id]] : [];
    return op && int8.has(op.id) ? [readers, [op.id, ...readers]] : [readers];
  });
}
