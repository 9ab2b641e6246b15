import type { Options } from 'yargs';
import { type Limit, parseSize } from '../tasks/limits.js';
import type { Flags } from './command.js';
import { formatBytes } from './terminal.js';

/** The limit on what is shipped. */
export const MAX_SIZE_FLAG: Readonly<Record<string, Options>> = {
  'max-size': { string: true, requiresArg: true, describe: 'Fail (exit code 1) where a module is larger, e.g. 5MB' },
};

/** The limit on the time of a run. */
export const MIN_SPEEDUP_FLAG: Readonly<Record<string, Options>> = {
  'min-speedup': {
    string: true,
    requiresArg: true,
    describe: 'Fail (exit code 1) where INT8 is not so many times as fast as FP32',
  },
};

/** What was measured for `--min-speedup`. */
export interface MeasuredSpeed {
  readonly name: string;
  /** What it is compared with. */
  readonly base: string;
  /** Time of the base divided by its own; undefined where one of them was not measured. */
  readonly speedup: number | undefined;
}

/** The checks of `--min-speedup`; undefined where the flag is not given. The value is read, and refused, at once. */
export function speedLimit(flags: Flags): ((measured: MeasuredSpeed) => Limit) | undefined {
  const least = flags.positive('min-speedup');
  if (least === undefined) return undefined;
  return ({ name, base, speedup }) => ({
    flag: '--min-speedup',
    text:
      speedup === undefined
        ? `${name} and ${base} were not both measured: nothing to compare`
        : `${name} is ${speedup.toFixed(2)} times as fast as ${base}, at least ${least} are wanted`,
    ok: speedup !== undefined && speedup >= least,
  });
}

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
