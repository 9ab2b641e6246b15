/** What the compiler makes of damaged models: a module or an error for the user, soon. */

import { planMemory } from '../../src/codegen/plan/memory.js';
import { Planner } from '../../src/codegen/plan/planner.js';
import { compile, lower } from '../../src/compile.js';
import { OPS } from '../../src/ops/index.js';
import { resolveOptions } from '../../src/options.js';
import { QcError } from '../../src/support/errors.js';
import { mutant } from './mutate.js';

/** A file that qc did not take as it should. */
export interface Finding {
  readonly seed: number;
  readonly what: string;
}

/** What became of the files. */
export interface FuzzResult {
  readonly files: number;
  /** Files that are models all the same. */
  readonly compiled: number;
  readonly findings: readonly Finding[];
}

/** Seconds of computing that a file of a few kilobytes may take. */
const MAX_SECONDS = 10;

/** Every so many models that can be planned are compiled to the end. */
const WHOLE = 40;

async function attempt(bytes: Uint8Array, whole: boolean): Promise<boolean> {
  try {
    if (whole) await compile(bytes);
    else planMemory(new Planner(lower(bytes, resolveOptions({})).graph, OPS).plan());
    return true;
  } catch (error) {
    if (error instanceof QcError && error.kind !== 'internal') return false;
    throw error;
  }
}

/** Feeds `count` mutants from `first` on to the compiler. `onFile` hears of every file. */
export async function fuzz(
  first: number,
  count: number,
  onFile: (seed: number) => void = () => {},
): Promise<FuzzResult> {
  const findings: Finding[] = [];
  let compiled = 0;
  for (let seed = first; seed < first + count; seed++) {
    onFile(seed);
    const start = process.cpuUsage();
    try {
      if (await attempt(mutant(seed), compiled % WHOLE === 0)) compiled++;
    } catch (error) {
      const { name, message } = error as Error;
      findings.push({ seed, what: `${name}: ${message.split('\n')[0]}` });
    }
    const { user, system } = process.cpuUsage(start);
    const seconds = (user + system) / 1e6;
    if (seconds > MAX_SECONDS) findings.push({ seed, what: `took ${seconds.toFixed(1)} s` });
  }
  return { files: count, compiled, findings };
}
