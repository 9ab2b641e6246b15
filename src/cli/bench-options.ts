import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { PEERS } from '../host/bench/engines.js';
import { findPeers, type PeerName, type PreparedCase, type PrepareOptions } from '../host/bench/prepare.js';
import { canPin, type Placement } from '../host/bench/session.js';
import type { Precision } from '../options.js';
import type { EntryInfo, ModuleInfo } from '../runtime/abi.js';
import { selfTestInput } from '../runtime/self-test.js';
import { ioError, usageError } from '../support/errors.js';
import { type BenchOptions, type BenchResult, baseOf, speedup } from '../tasks/bench.js';
import { namedEntry } from '../tasks/entries.js';
import type { Limit } from '../tasks/limits.js';
import type { Flags } from './command.js';
import { speedLimit } from './limit-flags.js';
import { modelOptions } from './model-flags.js';
import { chooseEntry } from './run.js';

const PEER_NAMES = Object.keys(PEERS) as PeerName[];
const SEED = 1;

/** The peers to measure: those named, else those that are installed here. */
export function peersOf(flags: Flags, packages: string): PeerName[] {
  const words = flags.words('peers');
  const found = findPeers(packages);
  if (words === undefined) return found;
  if (words.join() === 'none' || words.length === 0) return [];
  return words.map((word) => {
    const name = PEER_NAMES.find((n) => n === word || PEERS[n] === word);
    if (!name)
      throw usageError(`unknown peer "${word}"`, { remedy: `Use ${Object.values(PEERS).join(', ')} or none.` });
    if (!found.includes(name))
      throw usageError(`${PEERS[name]} is not installed in ${packages}`, { remedy: `npm i ${PEERS[name]}` });
    return name;
  });
}

/** What models are compiled to: INT8 and FP32 unless a flag names one. */
export function precisionsOf(flags: Flags): Precision[] {
  const { precision } = modelOptions({ file: '', name: '' } as never, flags);
  return precision ? [precision] : ['int8', 'fp32'];
}

/** Rounds and their length. */
export function benchOptions(flags: Flags): BenchOptions {
  const threshold = flags.positive('threshold') ?? 0.9;
  if (threshold > 1) throw usageError(`--threshold takes a share up to 1, not ${threshold}`);
  return {
    rounds: flags.count('rounds') ?? 5,
    milliseconds: 1000 * (flags.positive('seconds') ?? 0.5),
    coldStarts: flags.count('cold-starts') ?? 3,
    threshold,
    retries: 1,
  };
}

/** Where the measuring processes run. Throws where that is not possible. */
export function placementOf(flags: Flags): Placement {
  const core = flags.required('core');
  if (core !== undefined) {
    if (!/^\d+$/.test(core) || Number(core) >= cpus().length)
      throw usageError(`--core takes a number from 0 to ${cpus().length - 1}, not "${core}"`);
    if (!canPin()) throw usageError('--core needs taskset, which this system does not have');
  }
  const node = flags.required('node');
  if (node !== undefined && !existsSync(node)) throw ioError('cannot be started: no such file', { file: node });
  return { ...(node === undefined ? {} : { node: resolve(node) }), ...(core === undefined ? {} : { core }) };
}

/**
 * Input data: from files where they are given, else the generated input of the self-test. The entry is the one that is asked
 * for, else the one that the files fit, else the first.
 */
export function inputsOf(flags: Flags): PrepareOptions['inputs'] {
  const given = flags.list('input');
  const asked = flags.required('entry');
  return (info: ModuleInfo) => {
    const named = asked === undefined ? undefined : namedEntry(asked, info.entries);
    if (given.length === 0) {
      const { inputs } = info.entries[named ?? 0] as EntryInfo;
      return { entry: named ?? 0, data: new Map(inputs.map((t) => [t.name, selfTestInput(t, SEED)])) };
    }
    const { at, feeds, items } = chooseEntry(given, info, named);
    if (items !== 1) throw usageError(`--input holds ${items} items; qc bench measures one`);
    const data = Object.entries(feeds).map(([name, { buffer, byteOffset, byteLength }]): [string, Uint8Array] => [
      name,
      new Uint8Array(buffer, byteOffset, byteLength),
    ]);
    return { entry: at, data: new Map(data) };
  };
}

/** `--min-speedup`: INT8 against FP32, of each model the fastest build. */
export function speedLimits(flags: Flags): (bench: BenchResult<PreparedCase>) => Limit[] {
  const check = speedLimit(flags);
  if (!check) return () => [];
  return (bench) =>
    [...new Set(bench.results.map((r) => r.case.subject))].map((subject) => {
      const own = bench.results.filter((r) => r.case.subject === subject);
      const speeds = own.filter((r) => r.case.kind === 'int8').map((r) => speedup(r, baseOf(r, bench), bench));
      const measured = speeds.length > 0 && own.some((r) => r.case.kind === 'fp32');
      return check({
        name: `INT8 of ${subject}`,
        base: 'FP32',
        speedup: measured ? Math.max(...speeds) : undefined,
      });
    });
}
