import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { compile } from '../compile.js';
import { isConversion } from '../describe-ops.js';
import { type ColumnSource, ortLevel, wasmModule } from '../host/engines.js';
import { readFile } from '../host/files.js';
import { isFolder } from '../host/list-pictures.js';
import { openModel } from '../host/open-model.js';
import type { CompileOptions } from '../options.js';
import type { EntryInfo, ModuleInfo, TensorInfo } from '../runtime/abi.js';
import { isWasm } from '../runtime/module-info.js';
import { usageError } from '../support/errors.js';
import { UNOPTIMIZED } from '../tasks/bench.js';
import { shapesOf } from '../tasks/entries.js';
import type { Flags } from './command.js';
import { moduleInfoOf } from './inspect.js';
import { MODEL_FLAGS, modelOptions } from './model-flags.js';
import { parseWords } from './parse-words.js';
import { progress } from './terminal.js';

/** A column to evaluate, and the module behind it. */
export interface EvalColumn {
  readonly source: ColumnSource;
  readonly info?: ModuleInfo;
  readonly moduleBytes?: number;
  /** It is what would be shipped, not what it is compared with. */
  readonly ships?: boolean;
  readonly notes: readonly string[];
  /** Compiles an entry once more so that every layer can be timed; absent for modules. */
  profiled?(entry: number): Promise<{ readonly wasm: Uint8Array; readonly info: ModuleInfo }>;
}

const hasInt8 = ({ ops }: ModuleInfo): boolean => ops.some((op) => op.int8 && !isConversion(op));

const inputsOf = ({ entries }: ModuleInfo): TensorInfo[][] => entries.map(({ inputs }) => [...inputs]);

function moduleColumn(path: string, name: string): EvalColumn {
  const bytes = readFile(path);
  const given = moduleInfoOf(path, bytes).info;
  return {
    source: { kind: 'module', name, file: path, module: wasmModule(path, bytes), entries: inputsOf(given) },
    info: given,
    moduleBytes: bytes.length,
    ships: true,
    notes: [],
  };
}

async function modelColumn(path: string, flags: Flags, name: string, change: CompileOptions = {}): Promise<EvalColumn> {
  const model = openModel(path, flags.required('model-file'));
  const onPass = (event: { index: number; name: string }): void =>
    progress(`${name}: pass ${event.index} ${event.name}`);
  const options = { ...modelOptions(model, flags), ...change };
  const { wasm, report, notes } = await compile(model.files, { ...options, onPass });
  progress('');
  return {
    source: { kind: 'module', name, file: path, module: wasmModule(path, wasm), entries: inputsOf(report) },
    info: report,
    moduleBytes: wasm.length,
    ships: (options.precision ?? 'int8') === 'int8',
    notes,
    async profiled(entry) {
      const shapes = { inputShapes: shapesOf(report.entries[entry] as EntryInfo), moreShapes: [] };
      const build = await compile(model.files, { ...options, ...shapes, profile: true, verify: false });
      return { wasm: build.wasm, info: build.report };
    },
  };
}

/** Options of int8 that mean nothing in float. */
const FLOAT: CompileOptions = {
  opsToQuantize: undefined,
  opIdsToSkip: [],
  requireInt8: [],
  minRegion: 1,
} as CompileOptions;

/** FP32, fake-quantized and INT8 of a model; FP32 alone where nothing in it is quantized; one where flags say which. */
async function modelColumns(path: string, flags: Flags): Promise<EvalColumn[]> {
  const fuse = !flags.on('no-fuse');
  const chosen = modelOptions(openModel(path, flags.required('model-file')), flags).precision;
  if (!fuse && chosen !== undefined && chosen !== 'fp32')
    throw usageError(`--no-fuse is for FP32, but --precision says ${chosen}`);
  if (chosen !== undefined) {
    const name = { int8: 'INT8', fp32: 'FP32', 'fake-quantized': 'fake-quantized' }[chosen] ?? chosen;
    return [await modelColumn(path, flags, name, chosen === 'fp32' ? { fuse } : {})];
  }
  const int8 = await modelColumn(path, flags, 'INT8');
  const fp32 = await modelColumn(path, flags, 'FP32', { ...FLOAT, precision: 'fp32', fuse });
  if (!hasInt8(int8.info as ModuleInfo))
    return [
      { ...fp32, notes: [...int8.notes, 'no op can be int8: the model has no scales (qc calibrate finds them)'] },
    ];
  const fake = await modelColumn(path, flags, 'fake-quantized', { ...FLOAT, precision: 'fake-quantized' });
  return [fp32, fake, { ...int8, notes: [...fp32.notes, ...int8.notes] }];
}

/** Throws a usage error where flags say how to compile what is compiled. */
function checkCompiled(path: string, flags: Flags): void {
  const given = [...Object.keys(MODEL_FLAGS), 'no-fuse'].find((name) => flags.list(name).length > 0);
  if (given) throw usageError(`--${given} says how to compile, but ${path} is compiled already`);
}

/** onnxruntime as a column; the note says how it is run, so that its figures can be judged. */
async function ortColumn(file: string, inputs: ModuleInfo['entries'][number]['inputs']): Promise<EvalColumn> {
  if (!file.endsWith('.onnx')) throw usageError(`onnxruntime reads ONNX models, not ${file}`);
  const { level, reason } = await ortLevel(file);
  const optimizations =
    reason === undefined
      ? 'with its default optimizations'
      : `without optimizations, which fail on this model (${reason}): its times say little`;
  const name = `onnxruntime${level === 'disabled' ? UNOPTIMIZED : ''}`;
  return {
    source: { kind: 'onnxruntime', name, file, inputs, level },
    notes: [`onnxruntime runs on one thread, with session.x64quantprecision=1 (exact int8 products), ${optimizations}`],
  };
}

/** A further column: a module, a model or the same one with other flags, or onnxruntime. */
async function againstColumn(
  text: string,
  path: string,
  given: Flags,
  inputs: ModuleInfo['entries'][number]['inputs'],
): Promise<EvalColumn> {
  if (text === 'onnxruntime' || text === 'onnxruntime-node') return ortColumn(path, inputs);
  const { words, flags } = existsSync(text)
    ? { words: [text], flags: parseWords('', MODEL_FLAGS).flags }
    : parseWords(text, MODEL_FLAGS);
  const [file = path, more] = words;
  if (more !== undefined) throw usageError(`--against takes one model or module and flags, but got "${text}"`);
  if (!existsSync(file)) readFile(file);
  if (!isFolder(file) && isWasm(readFile(file))) {
    checkCompiled(file, flags);
    return moduleColumn(file, basename(file));
  }
  return modelColumn(file, file === path ? withShapes(flags, given) : flags, text.replace(file, basename(file)));
}

/** Flags that say what a model is and takes: further columns of the same model have them too, unless they say otherwise. */
const SHAPE_FLAGS = ['model-file', 'params-file', 'batch', 'input-shape'];

const withShapes = (flags: Flags, given: Flags): Flags =>
  flags.with(
    Object.fromEntries(
      SHAPE_FLAGS.flatMap((name) =>
        flags.list(name).length === 0 && given.list(name).length > 0 ? [[name, given.list(name)]] : [],
      ),
    ),
  );

/** All columns that a command line asks for, the baseline first. */
export async function evalColumns(path: string, flags: Flags): Promise<EvalColumn[]> {
  const compiled = !isFolder(path) && isWasm(readFile(path));
  if (compiled) checkCompiled(path, flags);
  const columns = compiled ? [moduleColumn(path, basename(path))] : await modelColumns(path, flags);
  const inputs = columns[0]?.info?.entries[0]?.inputs ?? [];
  for (const text of flags.list('against')) columns.push(await againstColumn(text, path, flags, inputs));
  const names = columns.map((c) => c.source.name);
  return columns.map((column, i) => {
    const again = names.slice(0, i).filter((name) => name === names[i]).length;
    return again === 0 ? column : { ...column, source: { ...column.source, name: `${names[i]} ${again + 1}` } };
  });
}
