import type { TensorInfo } from '../runtime/abi.js';
import { modelError, QcError, usageError } from '../support/errors.js';
import { type Entry, entriesText, likeEntry, namedEntry } from '../tasks/entries.js';
import type { ColumnSource } from './engines.js';
import { type EvaluateSetup, openData } from './evaluate-job.js';

type DataSetup = Pick<EvaluateSetup, 'data' | 'labels' | 'columns'>;

/** The first entry that the data fits. Throws a model error that lists all. */
async function fittingEntry(setup: DataSetup, entries: readonly (readonly TensorInfo[])[]): Promise<number> {
  if (setup.data.kind === 'fake') return 0;
  const reasons: QcError[] = [];
  for (const [i, inputs] of entries.entries()) {
    try {
      await openData(setup, inputs, () => {});
      return i;
    } catch (error) {
      if (!(error instanceof QcError) || error.kind !== 'model') throw error;
      reasons.push(error);
    }
  }
  throw modelError(`the data fits no entry of the module: ${reasons[0]?.message}`, {
    ...reasons[0]?.where,
    remedy: `The entries are ${entriesText(entries.map((inputs) => ({ inputs })))}.`,
  });
}

/** Whether an input takes what another does: equal shapes. Ranks may differ, as long as the data fits. */
const fits = (a: readonly number[], b: readonly number[]): boolean => a.length !== b.length || a.join() === b.join();

/** A column with the entry that takes what the first column takes. Throws a usage error. */
function withEntry(source: ColumnSource, first: readonly TensorInfo[]): ColumnSource {
  if (source.kind === 'onnxruntime') return { ...source, inputs: first };
  const entries = source.entries.map((inputs): Entry => ({ inputs }));
  const found = likeEntry(entries, { inputs: first });
  if (found >= 0) return { ...source, entry: found };
  const [only] = source.entries;
  const same =
    source.entries.length === 1 &&
    only?.every(({ shape, image }, i) => fits(shape, first[i]?.shape ?? shape) && !image === !first[i]?.image);
  if (same) return source;
  const wanted = entriesText([{ inputs: first }]);
  throw usageError(`${source.name} does not take what the first column takes: ${wanted}`, {
    file: source.file,
    remedy: `It takes ${entriesText(entries)}.`,
  });
}

/**
 * Columns with the entry that each of them runs: the one that is asked for by number or shape, else the first that the data
 * fits; the others by the shapes of the first column. Throws usage errors, and a model error where the data fits none.
 */
export async function chooseEntries(setup: DataSetup, asked: string | undefined): Promise<readonly ColumnSource[]> {
  const [first, ...others] = setup.columns;
  if (first?.kind !== 'module') return setup.columns;
  const { entries } = first;
  const index =
    asked !== undefined
      ? namedEntry(
          asked,
          entries.map((inputs) => ({ inputs })),
        )
      : entries.length > 1
        ? await fittingEntry(setup, entries)
        : 0;
  const inputs = entries[index] as readonly TensorInfo[];
  return [{ ...first, entry: index }, ...others.map((source) => withEntry(source, inputs))];
}
