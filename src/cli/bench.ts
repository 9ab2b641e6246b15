import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { PEERS } from '../host/bench/engines.js';
import { describeMachine } from '../host/bench/machine.js';
import {
  findPeers,
  type PeerName,
  type PreparedCase,
  type PrepareOptions,
  prepareSubject,
} from '../host/bench/prepare.js';
import { canPin, openSession, type Placement } from '../host/bench/session.js';
import { writeFiles } from '../host/files.js';
import { type OpenedModel, openModel } from '../host/open-model.js';
import type { Precision } from '../options.js';
import { probeModule } from '../probe-module.js';
import type { EntryInfo, Target } from '../runtime/abi.js';
import { isWasm } from '../runtime/module-info.js';
import { selfTestInput } from '../runtime/self-test.js';
import { ioError, usageError } from '../support/errors.js';
import { type BenchOptions, type BenchResult, baseOf, runBench, speedup } from '../tasks/bench.js';
import { analyzeLayers } from '../tasks/layers.js';
import { enforceLimits, type Limit } from '../tasks/limits.js';
import { greatest } from '../tasks/probe.js';
import { chromeTrace, type Timeline } from '../tasks/trace.js';
import { aboutText, benchTable, remarks } from './bench-text.js';
import type { Command, Flags } from './command.js';
import { layerText } from './layer-text.js';
import { MAX_SIZE_FLAG, sizeLimits } from './limit-flags.js';
import { MODEL_FLAGS, modelOptions } from './model-flags.js';
import { readInputs } from './run.js';
import { colors, human, progress, result, resultJson } from './terminal.js';

const PEER_NAMES = Object.keys(PEERS) as PeerName[];
const SEED = 1;

/** The peers to measure: those named, else those that are installed here. */
function peersOf(flags: Flags, packages: string): PeerName[] {
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

function precisionsOf(flags: Flags): Precision[] {
  const { precision } = modelOptions({ file: '', name: '' } as never, flags);
  return precision ? [precision] : ['int8', 'fp32'];
}

function benchOptions(flags: Flags): BenchOptions {
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

function placementOf(flags: Flags): Placement {
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

/** Input data: from files where they are given, else the generated input of the self-test. */
function inputsOf(flags: Flags): PrepareOptions['inputs'] {
  const given = flags.list('input');
  return (entry: EntryInfo) => {
    if (given.length === 0) return new Map(entry.inputs.map((t) => [t.name, selfTestInput(t, SEED)]));
    const { feeds, items } = readInputs(given, entry);
    if (items !== 1) throw usageError(`--input holds ${items} items; qc bench measures one`);
    return new Map(
      Object.entries(feeds).map(([name, data]) => {
        const { buffer, byteOffset, byteLength } = data as Uint8Array;
        return [name, new Uint8Array(buffer, byteOffset, byteLength)];
      }),
    );
  };
}

/** `--min-speedup`: INT8 against FP32, of each model the fastest build. */
function speedLimits(flags: Flags): (bench: BenchResult<PreparedCase>) => Limit[] {
  const least = flags.positive('min-speedup');
  if (least === undefined) return () => [];
  return (bench) =>
    [...new Set(bench.results.map((r) => r.case.subject))].map((subject) => {
      const own = bench.results.filter((r) => r.case.subject === subject);
      const speeds = own.filter((r) => r.case.kind === 'int8').map((r) => speedup(r, baseOf(r, bench), bench));
      const measured = speeds.length > 0 && own.some((r) => r.case.kind === 'fp32');
      const best = Math.max(...speeds);
      return {
        flag: '--min-speedup',
        text: measured
          ? `INT8 of ${subject} is ${best.toFixed(2)} times as fast as FP32, at least ${least} are wanted`
          : `${subject} has no INT8 and FP32 builds to compare`,
        ok: measured && best >= least,
      };
    });
}

/** Flags that say how to compile need something to compile. */
function checkFlags(opened: readonly OpenedModel[], flags: Flags): void {
  if (!opened.every((model) => isWasm(model.files.bytes))) return;
  const given = Object.keys(MODEL_FLAGS).find((name) => flags.list(name).length > 0);
  if (given) throw usageError(`--${given} says how to compile, but ${opened[0]?.file} is compiled already`);
}

const wantsLayers = (flags: Flags): boolean => flags.on('layers') || flags.text('trace') !== undefined;

/** The layers of the cases that were built for profiling, each in a fresh process. */
async function timeLayers(cases: readonly PreparedCase[], flags: Flags, placement: Placement): Promise<Timeline[]> {
  const trace = flags.required('trace');
  const timelines: Timeline[] = [];
  for (const { subject, name, profileJob, info } of cases) {
    if (!profileJob || !info) continue;
    progress(`timing the layers of ${subject}: ${name}`);
    const session = await openSession(`${subject}: ${name}`, profileJob, placement);
    try {
      await session.load();
      const before = await session.peaks();
      const profile = await session.profile();
      const peaks = greatest(before, await session.peaks());
      timelines.push({ name: `${subject}: ${name}`, report: analyzeLayers(profile, info.ops, peaks) });
    } finally {
      session.close();
    }
  }
  if (trace !== undefined)
    writeFiles(dirname(trace), [{ name: basename(trace), data: JSON.stringify(chromeTrace(timelines)) }]);
  return timelines;
}

async function measure(subjects: readonly string[], flags: Flags, folder: string): Promise<void> {
  const options = benchOptions(flags);
  const [limitSizes, limitSpeed] = [sizeLimits(flags), speedLimits(flags)];
  const placement = placementOf(flags);
  const packages = process.cwd();
  const peers = peersOf(flags, packages);
  const probes = await Promise.all(
    [false, true].map(async (relaxed) => {
      const path = join(folder, `probe-${relaxed ? 'relaxed' : 'simd'}.wasm`);
      writeFileSync(path, await probeModule(relaxed));
      return path;
    }),
  );
  const engine = await openSession('the engine', { engine: 'qc', file: '', inputs: [], probes, packages }, placement);
  const { relaxedSimd } = await engine.about().finally(() => engine.close());
  const target = modelOptions({ file: '', name: '' } as never, flags).target;
  const targets: Target[] = target ? [target] : relaxedSimd ? ['simd', 'relaxed'] : ['simd'];
  const opened = subjects.map((subject) => openModel(subject, flags.required('model-file')));
  checkFlags(opened, flags);
  const cases: PreparedCase[] = [];
  for (const [i, model] of opened.entries()) {
    const prepared = await prepareSubject(subjects[i] as string, model, {
      compile: (model) => modelOptions(model, flags),
      precisions: precisionsOf(flags),
      targets,
      revectorize: flags.on('revectorize'),
      peers,
      layers: wantsLayers(flags),
      inputs: inputsOf(flags),
      folder,
      probes,
      packages,
      relaxedSimd,
      say: progress,
    });
    cases.push(...prepared.cases);
    for (const note of prepared.notes) human(`${colors.yellow('note:')} ${note}`);
  }
  const open = (c: PreparedCase) => openSession(`${c.subject}: ${c.name}`, c.job, placement);
  const bench = await runBench(cases, open, options, progress);
  const machine = describeMachine();
  const timelines = await timeLayers(cases, flags, placement);
  for (const line of aboutText(bench, machine, placement.core)) human(colors.dim(line));
  if (flags.on('json')) resultJson({ machine, ...bench, layers: timelines });
  else result([benchTable(bench), ...timelines.map((timeline) => layerText(timeline))].join('\n\n'));
  for (const line of remarks(bench)) human(line);
  const files = bench.results.flatMap(({ case: c }) =>
    c.kind === 'peer' || c.kind === 'fp32' || c.job.revectorize || c.size === undefined
      ? []
      : [{ name: `${c.subject}: ${c.name}`, bytes: c.size }],
  );
  enforceLimits([...limitSizes(files), ...limitSpeed(bench)]);
}

async function run(_: string, flags: Flags, subjects: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'qc-bench-'));
  try {
    await measure(subjects, flags, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `qc bench`. */
export const benchCommand: Command = {
  name: 'bench',
  summary: 'Measure models and modules: latency, cold start, memory, size, layers; INT8 against FP32 and other engines',
  subject: { name: 'MODEL|MODULE', doc: 'Models, or .wasm files made by qc compile', many: true },
  flags: {
    ...MODEL_FLAGS,
    layers: { boolean: true, describe: 'The time of every layer, and how near it is to what the machine can do' },
    trace: {
      string: true,
      requiresArg: true,
      describe: 'File for the layers as Chrome trace (chrome://tracing, Perfetto)',
    },
    revectorize: { boolean: true, describe: 'Also with 256-bit code: experimental, Node 24 and later' },
    peers: {
      string: true,
      requiresArg: true,
      describe: 'onnxruntime-node, onnxruntime-web or none (default: those installed here)',
    },
    rounds: { string: true, requiresArg: true, describe: 'Rounds in which every case has its turn (default: 5)' },
    seconds: { string: true, requiresArg: true, describe: 'Seconds per case and round (default: 0.5)' },
    'cold-starts': { string: true, requiresArg: true, describe: 'Fresh processes per case for the start (default: 3)' },
    node: { string: true, requiresArg: true, describe: 'Another Node that runs the engines' },
    core: { string: true, requiresArg: true, describe: 'Pin the engines to a core (Linux)' },
    threshold: {
      string: true,
      requiresArg: true,
      describe: 'Share of the best speed of the core from which a round counts (default: 0.9)',
    },
    input: {
      alias: 'i',
      string: true,
      requiresArg: true,
      describe: 'NAME=FILE or FILE: data of an input (default: generated)',
    },
    ...MAX_SIZE_FLAG,
    'min-speedup': {
      string: true,
      requiresArg: true,
      describe: 'Fail (exit code 1) where INT8 is not so many times as fast as FP32',
    },
    json: { boolean: true, describe: 'All figures as JSON on stdout' },
  },
  examples: [
    ['qc bench net.onnx', 'INT8 and FP32 on every target, and onnxruntime where it is installed'],
    ['qc bench net.onnx --layers --report net.html', 'with the time of every layer, as a page'],
    ['qc bench old.wasm new.wasm', 'two builds in turns'],
    ['qc bench net.onnx --min-speedup 2 --max-size 5MB', 'for continuous integration'],
  ],
  run,
};
