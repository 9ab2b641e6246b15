import type { TensorInfo } from '../runtime/abi.js';
import { usageError } from '../support/errors.js';

/** An entry of a module: one set of shapes of its inputs. */
export interface Entry {
  readonly inputs: readonly Pick<TensorInfo, 'name' | 'shape'>[];
}

/** An entry that was chosen among those of a module. */
export interface ChosenEntry {
  /** From 0, as in `net.entries`. */
  readonly index: number;
  /** How many there are. */
  readonly of: number;
  /** The shapes of its inputs in words. */
  readonly shapes: string;
}

const wordsOf = ({ inputs }: Entry): string =>
  inputs.map(({ name, shape }) => `"${name}" [${shape.join(', ')}]`).join(', ');

/** The shapes of an entry as options of a compilation: `inputShapes`. */
export const shapesOf = ({ inputs }: Entry): Record<string, readonly number[]> =>
  Object.fromEntries(inputs.map(({ name, shape }) => [name, shape]));

/** The entries of a module in words, for errors and notes. */
export const entriesText = (entries: readonly Entry[]): string =>
  entries.map((entry, i) => `${entries.length > 1 ? `${i}: ` : ''}${wordsOf(entry)}`).join('; ');

/** What is told of a choice; undefined where there was none. */
export const chosenEntry = (entries: readonly Entry[], index: number): ChosenEntry | undefined =>
  entries.length > 1 ? { index, of: entries.length, shapes: wordsOf(entries[index] as Entry) } : undefined;

/** A choice in words. */
export const chosenText = ({ index, of, shapes }: ChosenEntry): string => `${index} (of ${of}): ${shapes}`;

/** The entry that `--entry` names: its number from 0, or the shape of an input such as 1x3x64x64. Throws a usage error. */
export function namedEntry(text: string, entries: readonly Entry[]): number {
  const found = [...entries.keys()].filter((i) =>
    /^\d+$/.test(text)
      ? Number(text) === i
      : (entries[i] as Entry).inputs.some(({ shape }) => shape.join('x') === text.toLowerCase()),
  );
  if (found.length === 1) return found[0] as number;
  throw usageError(`--entry ${text} is ${found.length > 1 ? 'more than one' : 'none'} of the entries`, {
    remedy: `There ${entries.length > 1 ? 'are' : 'is'} ${entriesText(entries)}.`,
  });
}

/** The entry whose inputs have the shapes of another module's, in order; -1 where there is none. */
export const likeEntry = (entries: readonly Entry[], wanted: Entry): number =>
  entries.findIndex(
    ({ inputs }) =>
      inputs.length === wanted.inputs.length &&
      inputs.every(({ shape }, i) => shape.join() === wanted.inputs[i]?.shape.join()),
  );
