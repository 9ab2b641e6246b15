import { usageError } from '../../support/errors.js';

/** Ways to win back accuracy; each stands for itself. */
export const RECOVERIES = ['equalize', 'bias', 'round', 'clip'] as const;
/** The name of a way. */
export type Recovery = (typeof RECOVERIES)[number];

/** What is done where nothing is said: it costs one run per sample and gained 1 to 4 dB on every network measured. */
export const DEFAULT_RECOVERIES: readonly Recovery[] = ['bias'];

/** Reads names of ways; `all`, `none`, or a list. Throws a usage error. */
export function parseRecoveries(words: readonly string[]): readonly Recovery[] {
  if (words.length === 0 || words.join() === 'all') return RECOVERIES;
  if (words.join() === 'none') return [];
  const unknown = words.find((word) => !(RECOVERIES as readonly string[]).includes(word));
  if (unknown !== undefined)
    throw usageError(`there is no recovery "${unknown}"`, { remedy: `Use ${RECOVERIES.join(', ')}, all or none.` });
  return words as readonly Recovery[];
}
