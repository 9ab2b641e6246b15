import { modelError } from '../support/errors.js';

/** One line of a list file. */
export interface ListedFile {
  readonly path: string;
  /** What people call it, where that is shorter than the path. */
  readonly name?: string;
  readonly label?: number;
}

const MAX_LABEL = 2 ** 31 - 1;

/**
 * Reads a list file: a line is `path label`, where the path may hold spaces and the label is an integer, or a path
 * alone. Empty lines and lines that start with # say nothing. Throws a model error with the number of the line.
 */
export function parseLabelList(text: string, file: string): ListedFile[] {
  const listed = text.split(/\r?\n/).flatMap((raw, i): ListedFile[] => {
    const line = raw.replace(/^\uFEFF/, '').trim();
    if (line === '' || line.startsWith('#')) return [];
    const match = /^(.*\S)\s+(-?\d+)$/.exec(line);
    if (!match) return [{ path: line }];
    const label = Number(match[2]);
    if (label < 0 || label > MAX_LABEL) throw modelError(`line ${i + 1}: label ${match[2]} is out of range`, { file });
    return [{ path: match[1] as string, label }];
  });
  if (listed.length === 0) throw modelError('the list names no file', { file, remedy: 'Each line is: path label.' });
  return listed;
}
