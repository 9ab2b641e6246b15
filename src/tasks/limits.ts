import { QcError, usageError } from '../support/errors.js';

/** A limit that a build has to keep, and what it has. */
export interface Limit {
  /** The flag that set it, such as `--max-size`. */
  readonly flag: string;
  /** What was checked, in words: `net.wasm has 5.2 MB, the limit is 5 MB`. */
  readonly text: string;
  readonly ok: boolean;
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 1024,
  mib: 1 << 20,
  gib: 1 << 30,
};

/** A number of bytes from text such as `5MB`, `300 kB`, `2.5MiB`, `4096`. Throws a usage error. */
export function parseSize(flag: string, text: string): number {
  const [, digits, unit] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  const factor = UNITS[(unit ?? '?').toLowerCase()];
  if (digits === undefined || factor === undefined)
    throw usageError(`${flag} takes a size such as 5MB, 300kB or 2MiB, not "${text}"`);
  return Math.floor(Number(digits) * factor);
}

/** Throws a check error, which names all of them, unless every limit is kept. */
export function enforceLimits(limits: readonly Limit[]): void {
  const broken = limits.filter((limit) => !limit.ok);
  if (broken.length > 0) throw new QcError('check', broken.map(({ flag, text }) => `${flag}: ${text}`).join('\n'));
}
