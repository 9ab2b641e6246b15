import type { Options } from 'yargs';
import { type Limit, parseSize } from '../tasks/limits.js';
import type { Flags } from './command.js';
import { formatBytes } from './terminal.js';

/** The limit on what is shipped. */
export const MAX_SIZE_FLAG: Readonly<Record<string, Options>> = {
  'max-size': { string: true, requiresArg: true, describe: 'Fail (exit code 1) where a module is larger, e.g. 5MB' },
};

/** The checks of `--max-size` on files and their sizes in bytes; the value is read, and refused, at once. */
export function sizeLimits(
  flags: Flags,
): (files: readonly { readonly name: string; readonly bytes: number }[]) => Limit[] {
  const text = flags.required('max-size');
  if (text === undefined) return () => [];
  const most = parseSize('--max-size', text);
  return (files) =>
    files.map(({ name, bytes }) => ({
      flag: '--max-size',
      text: `${name} has ${formatBytes(bytes)}, the limit is ${formatBytes(most)}`,
      ok: bytes <= most,
    }));
}
