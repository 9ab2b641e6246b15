import type { Options } from 'yargs';
import { DUMP_FORMATS, type DumpFormat } from '../report/dump-files.js';
import { usageError } from '../support/errors.js';
import type { Flags } from './command.js';

/** The flag that says how graphs are written. */
export const DEBUG_FORMAT_FLAG: Readonly<Record<string, Options>> = {
  'debug-format': {
    string: true,
    requiresArg: true,
    describe: 'How graphs are written: dot, svg, html (explorer.html, one page with all passes), by comma',
  },
};

/** The forms of the graphs that are asked for. */
export function dumpFormats(flags: Flags): ReadonlySet<DumpFormat> {
  const words = flags.words('debug-format') ?? ['dot'];
  const known: readonly string[] = DUMP_FORMATS;
  const bad = words.find((word) => !known.includes(word));
  if (bad !== undefined || words.length === 0)
    throw usageError(`--debug-format takes ${known.join(', ')}${bad === undefined ? '' : `, not "${bad}"`}`);
  return new Set(words as DumpFormat[]);
}
