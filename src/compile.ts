import { attachSelfTest } from './attach-self-test.js';
import { assemble, type EmitOptions, emitCode, maxPagesFor, pagesFor, STEP_EXPORT } from './codegen/emit.js';
import { type MemoryMap, planMemory } from './codegen/plan/memory.js';
import { mergePlans } from './codegen/plan/merge-plans.js';
import { scheduleOf } from './codegen/plan/phases.js';
import { type Border, entriesOf, entryExport, type Plan } from './codegen/plan/plan.js';
import { Planner } from './codegen/plan/planner.js';
import { describeOps } from './describe-ops.js';
import { describeSteps } from './describe-steps.js';
import { type Explanation, explain } from './explain.js';
import { importModel } from './frontends/import-model.js';
import { addImageInput, checkLabels } from './image-input.js';
import { toDot } from './ir/dot.js';
import type { Graph } from './ir/graph.js';
import { selectOps } from './op-selection.js';
import { OPS } from './ops/index.js';
import { type CompileOptions, type ResolvedOptions, resolveOptions } from './options.js';
import type { PassContext } from './passes/pass.js';
import { calibratedPasses, dumpName, type PassEvent, passesFor, runPipeline } from './passes/pipeline.js';
import { calibrationJson } from './quant/calibration.js';
import { requireInt8 } from './require-int8.js';
import { ABI_VERSION, type EntryInfo, type ModuleInfo, type Target, type TensorInfo } from './runtime/abi.js';
import { declarations, loaderSource, threadFiles } from './runtime/package-files.js';
import { poolDeclarations, poolFiles } from './runtime/pool-files.js';
import { shareWeights } from './share-weights.js';
import { importedStage, type Stage, stageAfter } from './stages.js';
import { type ModelFiles, type RecordedFiles, recordFiles } from './support/model-files.js';
import { addTaps, mergeTaps } from './taps.js';
import { VERSION } from './version.js';

/** What a compilation gives: the files of the package, and what is known about it. */
export interface CompileResult {
  readonly wasm: Uint8Array;
  readonly loader: string;
  readonly declarations: string;
  /** The files of the package by name: NAME.wasm, NAME.mjs, NAME.d.ts; NAME.relaxed.bin with target both. */
  readonly files: readonly { readonly name: string; readonly data: Uint8Array | string }[];
  /** With `debug`: a .dot text per pass. */
  readonly dumps: readonly { readonly name: string; readonly text: string }[];
  /** With `debug`: the model as imported and after every pass, as data. */
  readonly stages: readonly Stage[];
  readonly notes: readonly string[];
  /** Bytes of the model and of the files beside it that were read. */
  readonly modelBytes: number;
  /** What happened to the model on its way through the passes. */
  readonly explanation: Explanation;
  /** The JSON in the module's custom section. */
  readonly report: ModuleInfo;
}

/** A graph that went through the pipeline, and what was noted on the way. */
export interface Lowered {
  readonly graph: Graph;
  readonly dumps: readonly { readonly name: string; readonly text: string }[];
  /** With `debug`: the model as imported and after every pass, as data. */
  readonly stages: readonly Stage[];
  readonly notes: readonly string[];
}

/** Which part of the pipeline runs: all of it, or up to the fused network with its calibrated scales. */
export type Extent = 'all' | 'fused';

/** What passes know, from the options; op types are checked. */
export function passContext(options: ResolvedOptions, note: (text: string) => void = () => {}): PassContext {
  return {
    ops: OPS,
    precision: options.precision,
    opsToQuantize: options.opsToQuantize ? selectOps(options.opsToQuantize, note) : null,
    opIdsToSkip: options.opIdsToSkip,
    minRegion: options.minRegion,
    inferScales: options.inferScales,
    validate: options.verify,
    calibration: options.calibration,
    note,
  };
}

/** Imports a model and runs the pass pipeline. Throws QcErrors of kind model or usage. */
export function lower(model: Uint8Array | ModelFiles, options: ResolvedOptions, extent: Extent = 'all'): Lowered {
  const { file, inputShapes, inputValues } = options;
  const notes: string[] = [];
  const note = (text: string): void => void (notes.includes(text) || notes.push(text));
  const [batch, paramsFile] = [options.batch ?? undefined, options.paramsFile ?? undefined];
  const sizes = { inputShapes, inputValues, batch };
  const graph = importModel(recordFiles(model), { file, ...sizes, paramsFile, onNote: note });
  addTaps(graph, options.taps);
  const dumps: { name: string; text: string }[] = [];
  const stages: Stage[] = [];
  const context = passContext(options, note);
  if (options.debug) stages.push(importedStage(graph));
  const onPass = (event: PassEvent): void => {
    if (options.debug) {
      const stage = stageAfter(event);
      stages.push(stage);
      dumps.push({ name: dumpName(event), text: toDot(stage.snapshot) });
    }
    options.onPass(event);
  };
  const passes = extent === 'all' ? passesFor(context, options.fuse) : calibratedPasses(context);
  runPipeline(graph, context, onPass, passes);
  mergeTaps(graph);
  if (extent === 'all') requireInt8(graph, selectOps(options.requireInt8, note), note);
  return { graph, dumps, stages, notes };
}

/**
 * Compiles a model (the bytes of its file, with the files beside it where it has such) to one WebAssembly module with its loader and declarations.
 * Touches no disk, console or environment. Throws QcErrors: usage for options, model for what is in the file.
 */
export async function compile(model: Uint8Array | ModelFiles, options: CompileOptions = {}): Promise<CompileResult> {
  const resolved = resolveOptions(options);
  const source = recordFiles(model);
  const { name, inline } = resolved;
  const { graph, dumps, stages, notes } = lower(source, resolved);
  const graphs = [graph, ...furtherGraphs(source, resolved)];
  const hashes = { model: await hashOf(source), options: await sha256(optionsKey(resolved)) };
  const build = (target: Target, sharesWeights = false): Promise<Built> =>
    buildModule(graphs, resolved, hashes, target, sharesWeights);
  const main = await build(resolved.target === 'relaxed' ? 'relaxed' : 'simd');
  const relaxed = resolved.target === 'both' ? await relaxedDelta(main, build) : null;
  const alone = resolved.target === 'both' && !relaxed;
  const told = alone ? [...notes, 'no layer gains from relaxed SIMD: one module serves all engines'] : notes;
  const { wasm, report } = main;
  const binaries = { wasm, ...(relaxed && { relaxed }) };
  const loader = loaderSource(name, report, { binaries, inline });
  const types = declarations(name, report) + (resolved.pool ? poolDeclarations(name) : '');
  const files = [
    ...(inline ? [] : [{ name: `${name}.wasm`, data: wasm }]),
    ...(inline || !relaxed ? [] : [{ name: `${name}.relaxed.bin`, data: relaxed }]),
    { name: `${name}.mjs`, data: loader },
    { name: `${name}.d.ts`, data: types },
    ...threadFiles(name, report),
    ...(resolved.pool ? poolFiles(name) : []),
  ];
  const modelBytes = [...source.parts.values()].reduce((sum, part) => sum + part.length, 0);
  const made = { wasm, loader, declarations: types, files, report };
  return { ...made, dumps, stages, notes: told, modelBytes, explanation: explain(graph) };
}

/** A module and what it was made of. */
interface Built {
  readonly wasm: Uint8Array;
  readonly plan: Plan;
  readonly report: ModuleInfo;
}

/** The graphs for further shapes of the inputs; the first shape alone is reported on. */
function furtherGraphs(source: ModelFiles, options: ResolvedOptions): Graph[] {
  const { moreShapes, inputShapes } = options;
  const quiet = { ...options, debug: false, onPass: () => {} };
  return moreShapes.map((shapes) => lower(source, { ...quiet, inputShapes: { ...inputShapes, ...shapes } }).graph);
}

/** Compiles the graphs of all input shapes for one target. */
async function buildModule(
  graphs: readonly Graph[],
  options: ResolvedOptions,
  hashes: ModuleInfo['hashes'],
  target: Target,
  sharesWeights: boolean,
): Promise<Built> {
  const plan = mergePlans(
    graphs.map((graph) => planOf(options, new Planner(graph, OPS, target, sharesWeights).plan())),
  );
  const schedule = options.threads ? scheduleOf(plan) : undefined;
  const memory = planMemory(plan, schedule?.flat());
  const emit = (isa: Target | 'emulated', more: EmitOptions = {}) => emitCode(plan, memory, isa, { schedule, ...more });
  const code = await emit(target, options);
  const info = describeModule(graphs[0] as Graph, plan, memory, { ...options, target }, hashes);
  const assembled = (i: ModuleInfo, from = code): Uint8Array => assemble(from, plan, memory, i);
  const emulated = async (i: ModuleInfo) => assembled(i, await emit('emulated'));
  // with fast math other engines may give other bits: there is nothing to compare them with
  const report = options.fastMath ? info : await attachSelfTest(info, assembled, emulated);
  return { wasm: assembled(report), plan, report };
}

/** The module of the relaxed target as what it does not share with the other one; null where it is no faster. */
async function relaxedDelta(
  simd: Built,
  build: (target: Target, sharesWeights: boolean) => Promise<Built>,
): Promise<Uint8Array | null> {
  const relaxed = await build('relaxed', true);
  const gains = relaxed.plan.calls.some((call) => call.kernel.name(call.params).endsWith('-relaxed'));
  return gains ? shareWeights(simd, relaxed) : null;
}

/** A plan with what the options add to it. */
function planOf({ imageInput, labels }: ResolvedOptions, plan: Plan): Plan {
  if (labels) checkLabels(plan, labels);
  return imageInput ? addImageInput(plan, imageInput) : plan;
}

/** A tensor of the border in memory. */
function placed({ info, buffer, image }: Border, { addresses }: MemoryMap): TensorInfo {
  const at = (index: number): number => addresses[index] as number;
  return { ...info, offset: at(buffer), ...(image ? { image: { ...image, size: at(image.size) } } : {}) };
}

function describeModule(
  graph: Graph,
  plan: Plan,
  memory: MemoryMap,
  { name, target, profile, labels, fastMath, batch }: ResolvedOptions & { readonly target: Target },
  hashes: ModuleInfo['hashes'],
): ModuleInfo {
  const place = (border: Border): TensorInfo => placed(border, memory);
  const steps = profile
    ? { profile: { export: STEP_EXPORT, steps: describeSteps(graph, plan, memory, OPS, target) } }
    : {};
  const entries = entriesOf(plan).map((entry, i): EntryInfo => {
    const [inputs, outputs] = [entry.inputs.map(place), entry.outputs.map(place)];
    const batched = batch !== null && batch > 1 && [...inputs, ...outputs].every(({ shape }) => shape[0] === batch);
    return { export: entryExport(i), ...(batched ? { batch } : {}), inputs, outputs, ...steps };
  });
  const pages = pagesFor(memory);
  return {
    version: ABI_VERSION,
    compiler: VERSION,
    name,
    target,
    ...(fastMath ? { fastMath } : {}),
    entries,
    memory: { pages, bytes: pages * 65536, weights: memory.weights, activations: memory.activations },
    ...(memory.threads && { threads: { perThread: memory.threads.perThread, maxPages: maxPagesFor(memory) } }),
    hashes,
    ops: describeOps(graph, plan),
    ...(labels ? { labels } : {}),
  };
}

/** The options that change the module, as text. */
const optionsKey = ({
  opsToQuantize,
  opIdsToSkip,
  minRegion,
  precision,
  target,
  batch,
  inputShapes,
  inputValues,
  moreShapes,
  taps,
  profile,
  threads,
  imageInput,
  labels,
  fuse,
  fastMath,
  calibration,
}: ResolvedOptions): Uint8Array => {
  const always = { opsToQuantize, opIdsToSkip, minRegion, precision, target, batch, inputShapes, taps };
  const given = {
    ...(Object.keys(inputValues).length > 0 && { inputValues }),
    ...(moreShapes.length > 0 && { moreShapes }),
    ...(profile && { profile }),
    ...(threads && { threads }),
    ...(imageInput && { imageInput }),
    ...(labels && { labels }),
    ...(!fuse && { fuse }),
    ...(fastMath && { fastMath }),
    ...(calibration && { calibration: calibrationJson(calibration) }),
  };
  return new TextEncoder().encode(JSON.stringify({ ...always, ...given }));
};

/** The SHA-256 of a model, with all files that reading it with these options takes, and of a text. */
export async function hashModel(
  model: Uint8Array | ModelFiles,
  options: ResolvedOptions,
  text: string,
): Promise<string> {
  const source = recordFiles(model);
  lower(source, options, 'fused');
  return sha256(new TextEncoder().encode(`${await hashOf(source)} ${text}`));
}

/** The SHA-256 of the model file; of a list of hashes and names where several files make the model. */
async function hashOf({ bytes, parts }: RecordedFiles): Promise<string> {
  if (parts.size === 1) return sha256(bytes);
  const lines: string[] = [];
  for (const [name, part] of [...parts].sort(([a], [b]) => (a < b ? -1 : 1)))
    lines.push(`${await sha256(part)} ${name}\n`);
  return sha256(new TextEncoder().encode(lines.join('')));
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
  return Array.from(digest, (b) => b.toString(16).padStart(2, '0')).join('');
}
