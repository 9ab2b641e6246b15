import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { lower } from '../compile.js';
import { describeMachine } from '../host/bench/machine.js';
import { type PreparedCase, type PrepareOptions, prepareSubject } from '../host/bench/prepare.js';
import { openSession, type Placement } from '../host/bench/session.js';
import { writeFiles } from '../host/files.js';
import { type OpenedModel, openModel } from '../host/open-model.js';
import { resolveOptions } from '../options.js';
import { probeModule } from '../probe-module.js';
import { type BenchReport, benchPage } from '../report/bench-page.js';
import { explorerPage } from '../report/explorer.js';
import { prepareLayouts } from '../report/layout.js';
import { renderPage } from '../report/page.js';
import { timeOverlays } from '../report/time-overlays.js';
import { isWasm } from '../runtime/module-info.js';
import { usageError } from '../support/errors.js';
import { type BenchResult, published, runBench, unequalBuilds } from '../tasks/bench.js';
import { timeLayers } from '../tasks/layers.js';
import { enforceLimits, type Limit } from '../tasks/limits.js';
import { chromeTrace, type Timeline } from '../tasks/trace.js';
import { benchOptions, inputsOf, peersOf, placementOf, precisionsOf, speedLimits } from './bench-options.js';
import { aboutText, benchTable, remarks } from './bench-text.js';
import type { Command, Flags } from './command.js';
import { ENTRY_FLAG } from './data-flags.js';
import { layerText } from './layer-text.js';
import { MAX_SIZE_FLAG, MIN_SPEEDUP_FLAG, sizeLimits } from './limit-flags.js';
import { MODEL_FLAGS, modelOptions } from './model-flags.js';
import { colors, human, progress, result, resultJson } from './terminal.js';

type Bench = BenchResult<PreparedCase>;

/** Flags that say how to compile need something to compile. */
function checkFlags(opened: readonly OpenedModel[], flags: Flags): void {
  if (!opened.every((model) => isWasm(model.files.bytes))) return;
  const given = Object.keys(MODEL_FLAGS).find((name) => flags.list(name).length > 0);
  if (given) throw usageError(`--${given} says how to compile, but ${opened[0]?.file} is compiled already`);
}

/** The probes as files, and whether the engine has relaxed SIMD. */
async function prepareEngine(
  folder: string,
  packages: string,
  placement: Placement,
): Promise<Pick<PrepareOptions, 'folder' | 'packages' | 'probes' | 'relaxedSimd'>> {
  const probes: string[] = [];
  for (const relaxed of [false, true]) {
    const path = join(folder, `probe-${relaxed ? 'relaxed' : 'simd'}.wasm`);
    writeFileSync(path, await probeModule(relaxed));
    probes.push(path);
  }
  const engine = await openSession('the engine', { engine: 'qc', file: '', inputs: [], probes, packages }, placement);
  const { relaxedSimd } = await engine.about().finally(() => engine.close());
  return { folder, packages, probes, relaxedSimd };
}

/** Compiles and writes everything that will be measured. */
async function prepare(
  subjects: readonly string[],
  flags: Flags,
  folder: string,
  placement: Placement,
): Promise<{ cases: PreparedCase[]; notes: string[] }> {
  const packages = process.cwd();
  const peers = peersOf(flags, packages);
  const opened = subjects.map((subject) => openModel(subject, flags.required('model-file')));
  checkFlags(opened, flags);
  const precisions = precisionsOf(flags);
  const inputs = inputsOf(flags);
  const layers =
    flags.on('layers') || ['trace', 'report', 'explorer'].some((name) => flags.required(name) !== undefined);
  const engine = await prepareEngine(folder, packages, placement);
  const cases: PreparedCase[] = [];
  const notes: string[] = [];
  for (const [i, model] of opened.entries()) {
    const { target } = modelOptions(model, flags);
    const prepared = await prepareSubject(subjects[i] as string, model, {
      ...engine,
      compile: (m) => modelOptions(m, flags),
      precisions,
      targets: target && target !== 'both' ? [target] : engine.relaxedSimd ? ['simd', 'relaxed'] : ['simd'],
      revectorize: flags.on('revectorize'),
      peers,
      layers,
      inputs,
      say: progress,
    });
    cases.push(...prepared.cases);
    notes.push(...prepared.notes);
  }
  return { cases, notes };
}

/** The layers of the cases that were built for profiling, each in a fresh process. */
async function profileCases(cases: readonly PreparedCase[], placement: Placement): Promise<Timeline[]> {
  const timelines: Timeline[] = [];
  for (const { subject, name, profileJob, info } of cases) {
    if (!profileJob || !info) continue;
    progress(`timing the layers of ${subject}: ${name}`);
    const session = await openSession(`${subject}: ${name}`, profileJob, placement);
    try {
      await session.load();
      timelines.push({ name: `${subject}: ${name}`, report: await timeLayers(session, info.ops) });
    } finally {
      session.close();
    }
  }
  return timelines;
}

function writeFile(path: string, data: string): void {
  writeFiles(dirname(path), [{ name: basename(path), data }]);
  human(`${colors.green('wrote')} ${path}`);
}

/** Throws unless `--explorer` has one model, whose passes it can show. */
function checkExplorer(subjects: readonly string[], flags: Flags): void {
  if (flags.required('explorer') === undefined) return;
  const [subject, ...others] = subjects;
  if (others.length > 0) throw usageError(`--explorer shows one model, not ${subjects.length}`);
  if (isWasm(openModel(subject as string, flags.required('model-file')).files.bytes))
    throw usageError(`--explorer shows the passes of a model; ${subject} is compiled already`);
}

/** The explorer of the model with the times of its layers. */
async function writeExplorer(
  path: string,
  subject: string,
  timelines: readonly Timeline[],
  flags: Flags,
): Promise<void> {
  const model = openModel(subject, flags.required('model-file'));
  const { stages } = lower(model.files, resolveOptions({ ...modelOptions(model, flags), debug: true }));
  const overlays = timelines.flatMap(({ report }) => timeOverlays(report));
  writeFile(path, explorerPage(stages, await prepareLayouts(), { overlays, title: model.name }));
}

/** Builds of one model that do not give equal bytes. */
const exactness = (bench: Bench): Limit[] =>
  unequalBuilds(bench).map(({ subject, names }) => ({
    flag: 'exactness',
    text: `the outputs of ${subject} differ between ${names.join(' and ')}: please report this as a bug of qc`,
    ok: false,
  }));

/** What `--max-size` is about: the modules that would be shipped. */
const shipped = ({ results }: Bench): { name: string; bytes: number }[] =>
  results.flatMap(({ case: { subject, name, kind, size, job } }) =>
    (kind === 'int8' || kind === 'module') && !job.revectorize && size !== undefined
      ? [{ name: `${subject}: ${name}`, bytes: size }]
      : [],
  );

function tell(report: BenchReport & { readonly bench: Bench }, flags: Flags): void {
  const { bench, machine, core, timelines, notes } = report;
  for (const line of aboutText(bench, machine, core)) human(colors.dim(line));
  for (const note of notes) human(`${colors.yellow('note:')} ${note}`);
  if (flags.on('json')) resultJson({ machine, ...published(bench), layers: timelines, builds: report.builds });
  else result([benchTable(bench), ...timelines.map((timeline) => layerText(timeline))].join('\n\n'));
  for (const line of remarks(bench)) human(line);
  const [trace, page] = [flags.required('trace'), flags.required('report')];
  if (trace !== undefined) writeFile(trace, JSON.stringify(chromeTrace(timelines)));
  if (page !== undefined) writeFile(page, renderPage(benchPage(report)));
}

async function measure(subjects: readonly string[], flags: Flags, folder: string): Promise<void> {
  const options = benchOptions(flags);
  checkExplorer(subjects, flags);
  const [limitSizes, limitSpeed] = [sizeLimits(flags), speedLimits(flags)];
  const placement = placementOf(flags);
  const { cases, notes } = await prepare(subjects, flags, folder, placement);
  const open = (c: PreparedCase) => openSession(`${c.subject}: ${c.name}`, c.job, placement);
  const bench = await runBench(cases, open, options, progress);
  const timelines = await profileCases(cases, placement);
  const builds = cases.flatMap(({ subject, name, info }) => (info ? [{ subject, name, hashes: info.hashes }] : []));
  const date = new Date().toISOString().slice(0, 10);
  const core = placement.core === undefined ? {} : { core: placement.core };
  tell({ bench, machine: describeMachine(), date, timelines, builds, notes, ...core }, flags);
  const explorer = flags.required('explorer');
  if (explorer !== undefined) await writeExplorer(explorer, subjects[0] as string, timelines, flags);
  enforceLimits([...exactness(bench), ...limitSizes(shipped(bench)), ...limitSpeed(bench)]);
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
    report: { string: true, requiresArg: true, describe: 'File for all of it as one HTML page' },
    trace: {
      string: true,
      requiresArg: true,
      describe: 'File for the layers as Chrome trace (chrome://tracing, Perfetto)',
    },
    explorer: {
      string: true,
      requiresArg: true,
      describe: 'File for the explorer of a model with the times of its layers as a heat map',
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
    ...ENTRY_FLAG,
    ...MAX_SIZE_FLAG,
    ...MIN_SPEEDUP_FLAG,
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
