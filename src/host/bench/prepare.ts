import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { compile } from '../../compile.js';
import type { CompileOptions, Precision } from '../../options.js';
import type { EntryInfo, ModuleInfo, Target } from '../../runtime/abi.js';
import { isWasm, readModuleInfo } from '../../runtime/module-info.js';
import { modelError, usageError } from '../../support/errors.js';
import type { BenchCase } from '../../tasks/bench.js';
import { chosenEntry, chosenText, shapesOf } from '../../tasks/entries.js';
import type { OpenedModel } from '../open-model.js';
import { PEERS } from './engines.js';
import { type EngineName, type Job, jobInput } from './job.js';

export type PeerName = Exclude<EngineName, 'qc'>;

/** A case with what its process needs. */
export interface PreparedCase extends BenchCase {
  readonly job: Job;
  /** The same network built for profiling, where layers were asked for. */
  readonly profileJob?: Job;
  readonly info?: ModuleInfo;
}

export interface PrepareOptions {
  /** How models are compiled, besides precision and target. */
  readonly compile: (model: OpenedModel) => CompileOptions;
  /** The precisions and targets of models; several of each are several cases. */
  readonly precisions: readonly Precision[];
  readonly targets: readonly Target[];
  /** A further case with 256-bit code. */
  readonly revectorize: boolean;
  readonly peers: readonly PeerName[];
  /** Builds the last case for profiling too. */
  readonly layers: boolean;
  /** The entry of a module that is measured, and what it is given. */
  readonly inputs: (info: ModuleInfo) => BenchInputs;
  /** Where modules and data lie while they are measured. */
  readonly folder: string;
  readonly probes: readonly string[];
  readonly packages: string;
  /** Whether the engine has relaxed SIMD. */
  readonly relaxedSimd: boolean;
  readonly say: (text: string) => void;
}

/** An entry, from 0, and the bytes of its inputs by name. */
export interface BenchInputs {
  readonly entry: number;
  readonly data: ReadonlyMap<string, Uint8Array>;
}

/** What a subject gives. */
export interface Prepared {
  readonly cases: readonly PreparedCase[];
  readonly notes: readonly string[];
}

/** The peers that can be resolved from a folder. */
export function findPeers(folder: string): PeerName[] {
  const require = createRequire(join(resolve(folder), 'package.json'));
  return (Object.keys(PEERS) as PeerName[]).filter((name) => {
    try {
      require.resolve(PEERS[name]);
      return true;
    } catch {
      return false;
    }
  });
}

let files = 0;

/** Writes a file of its own into the folder of a benchmark. */
function scratch(folder: string, extension: string, bytes: Uint8Array): string {
  const path = join(folder, `${files++}.${extension}`);
  writeFileSync(path, bytes);
  return path;
}

/** The job of a module, with its inputs as files. */
function jobFor(file: string, info: ModuleInfo, options: PrepareOptions): Job {
  const { folder, probes, packages } = options;
  const { entry, data } = options.inputs(info);
  const inputs = entryOf(info, entry).inputs.map((t) =>
    jobInput(t, scratch(folder, 'raw', data.get(t.name) as Uint8Array)),
  );
  return { engine: 'qc', file, inputs, probes, packages, entry };
}

const entryOf = ({ entries }: ModuleInfo, entry = 0): EntryInfo => entries[entry] as EntryInfo;

/** What a reader should know of the inputs: which entry runs, and that pictures are the largest ones. */
function inputNotes(subject: string, info: ModuleInfo, { entry = 0 }: Job): string[] {
  const chosen = chosenEntry(info.entries, entry);
  const pictures = entryOf(info, entry).inputs.filter((input) => input.image);
  return [
    ...(chosen ? [`${subject} has several entries: measured is ${chosenText(chosen)} (--entry chooses)`] : []),
    ...pictures.map(
      ({ name, shape }) =>
        `input "${name}" of ${subject} takes pictures: measured with the largest, ${shape[1]}x${shape[0]}, resizing included`,
    ),
  ];
}

const sizesOf = (wasm: Uint8Array, info: ModuleInfo): Pick<BenchCase, 'size' | 'gzip' | 'instance'> => ({
  size: wasm.length,
  gzip: gzipSync(wasm, { level: 9 }).length,
  instance: info.memory.bytes,
});

/** The products of a run, which profile builds know. */
const macsOf = ({ entries }: ModuleInfo): number | undefined =>
  entries[0]?.profile?.steps.reduce((sum, step) => sum + step.macs, 0);

/** A module that was compiled before. */
function prepareModule(subject: string, bytes: Uint8Array, options: PrepareOptions): Prepared {
  let info: ModuleInfo;
  try {
    info = readModuleInfo(bytes).info;
  } catch (cause) {
    throw modelError((cause as Error).message, { file: subject, cause });
  }
  if (info.target === 'relaxed' && !options.relaxedSimd)
    throw modelError('the module needs relaxed SIMD, which this engine does not have', {
      file: subject,
      remedy: 'Node has it from version 21 on; --node PATH measures in another Node.',
    });
  const job = jobFor(resolve(subject), info, options);
  const entry = entryOf(info, job.entry);
  const macs = macsOf(info);
  const base = { subject, kind: 'module', target: info.target, info, ...sizesOf(bytes, info) } as const;
  const profiled = options.layers && entry.profile ? { profileJob: job } : {};
  const notes = [
    ...inputNotes(subject, info, job),
    ...(options.layers && !entry.profile
      ? [`${subject} was not compiled for profiling: its layers cannot be timed (qc compile --profile)`]
      : []),
  ];
  const one: PreparedCase = { ...base, name: info.target, job, ...(macs ? { macs } : {}), ...profiled };
  const wide: PreparedCase = { ...one, name: `${info.target} revectorized`, job: { ...job, revectorize: true } };
  return { cases: options.revectorize ? [one, wide] : [one], notes };
}

/** Compiles a model in one way. */
async function build(
  subject: string,
  model: OpenedModel,
  precision: Precision,
  target: Target,
  options: PrepareOptions,
): Promise<PreparedCase & { readonly int8: boolean }> {
  options.say(`compiling ${subject}: ${precision} ${target}`);
  const settings = { ...options.compile(model), precision, target };
  const { wasm, report } = await compile(model.files, settings);
  const job = jobFor(scratch(options.folder, 'wasm', wasm), report, options);
  const kind = precision === 'int8' ? 'int8' : 'fp32';
  const int8 = report.ops.some((op) => op.int8);
  return { subject, name: `${precision} ${target}`, kind, target, info: report, job, int8, ...sizesOf(wasm, report) };
}

/** The case with the build for profiling beside it, which has only the entry that is measured. */
async function withProfile(c: PreparedCase, model: OpenedModel, options: PrepareOptions): Promise<PreparedCase> {
  const precision = c.name.split(' ')[0] as Precision;
  const one = { inputShapes: shapesOf(entryOf(c.info as ModuleInfo, c.job.entry)), moreShapes: [] };
  const settings = { ...options.compile(model), ...one, precision, target: c.target as Target, profile: true };
  const { wasm, report } = await compile(model.files, settings);
  const macs = macsOf(report);
  const profileJob = { ...c.job, entry: 0, file: scratch(options.folder, 'wasm', wasm) };
  return { ...c, profileJob, ...(macs ? { macs } : {}) };
}

/** The peers on a model. */
function peerCases(
  subject: string,
  model: OpenedModel,
  like: PreparedCase,
  peers: readonly PeerName[],
): PreparedCase[] {
  const { revectorize: _, ...job } = like.job;
  return peers.map((engine) => ({
    subject,
    name: PEERS[engine],
    kind: 'peer',
    job: { ...job, engine, file: resolve(model.file) },
    size: model.files.bytes.length,
    ...(like.macs ? { macs: like.macs } : {}),
  }));
}

/** A model: its builds, then the peers. */
async function prepareModel(subject: string, model: OpenedModel, options: PrepareOptions): Promise<Prepared> {
  const { precisions, targets, revectorize, layers } = options;
  const notes: string[] = [];
  const cases: PreparedCase[] = [];
  const last = targets.at(-1) as Target;
  for (const precision of precisions)
    for (const target of precision === 'int8' ? targets : [last]) {
      const { int8, ...built } = await build(subject, model, precision, target, options);
      if (precision === 'int8' && !int8 && precisions.length > 1) {
        notes.push(`no op of ${subject} is int8: only FP32 is measured (qc inspect tells why)`);
        break;
      }
      cases.push(built);
    }
  const best = cases.filter((c) => c.kind === 'int8').at(-1) ?? (cases.at(-1) as PreparedCase);
  const chosen = layers ? await withProfile(best, model, options) : best;
  cases[cases.indexOf(best)] = chosen;
  if (revectorize) {
    const wide = { ...chosen, name: `${chosen.name} revectorized`, job: { ...chosen.job, revectorize: true } };
    const profiled = chosen.profileJob ? { profileJob: { ...chosen.profileJob, revectorize: true } } : {};
    cases.splice(cases.indexOf(chosen) + 1, 0, { ...wide, ...profiled });
    const { profileJob: __, ...plain } = chosen;
    cases[cases.indexOf(chosen)] = plain;
  }
  const readable = /\.onnx$/.test(model.file);
  notes.push(...inputNotes(subject, best.info as ModuleInfo, best.job));
  if (!readable && options.peers.length > 0) notes.push(`${subject} is no ONNX file: the peers cannot read it`);
  return { cases: [...cases, ...(readable ? peerCases(subject, model, chosen, options.peers) : [])], notes };
}

/** The cases of a subject: a model or a module. Throws what reading and compiling throw. */
export async function prepareSubject(subject: string, model: OpenedModel, options: PrepareOptions): Promise<Prepared> {
  const { bytes } = model.files;
  if (isWasm(bytes)) return prepareModule(subject, bytes, options);
  if (options.targets.includes('relaxed') && !options.relaxedSimd)
    throw usageError('this engine has no relaxed SIMD', {
      remedy: 'Leave --target out, or name another Node with --node.',
    });
  return prepareModel(subject, model, options);
}
