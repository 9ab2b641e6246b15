import { compile } from '../compile.js';
import type { Explanation } from '../explain.js';
import { type OpenedModel, openModel } from '../host/open-model.js';
import type { ModuleInfo } from '../runtime/abi.js';
import { isWasm, type ModuleSizes, readModuleInfo } from '../runtime/module-info.js';
import { modelError, usageError } from '../support/errors.js';
import type { Command, Flags } from './command.js';
import { MODEL_FLAGS, modelOptions } from './model-flags.js';
import { opRows, regionRows } from './op-rows.js';
import { memoryText, opsText, tensorText } from './summary.js';
import { colors, formatBytes, human, progress, result, resultColors, resultJson } from './terminal.js';

interface Inspected {
  readonly info: ModuleInfo;
  readonly sizes: ModuleSizes;
  readonly notes: readonly string[];
  /** Known where the subject is a model. */
  readonly explanation?: Explanation;
}

/** Reads the description of a compiled module; errors name the file. */
export function moduleInfoOf(path: string, bytes: Uint8Array): { info: ModuleInfo; sizes: ModuleSizes } {
  try {
    return readModuleInfo(bytes);
  } catch (cause) {
    throw modelError((cause as Error).message, { file: path, cause });
  }
}

async function inspectModel(path: string, model: OpenedModel, flags: Flags): Promise<Inspected> {
  const onPass = (event: { index: number; name: string }): void => progress(`pass ${event.index} ${event.name}`);
  const { wasm, notes, explanation } = await compile(model.files, { ...modelOptions(model, flags), onPass });
  return { ...moduleInfoOf(path, wasm), notes, explanation };
}

function inspectModule(path: string, bytes: Uint8Array, flags: Flags): Inspected {
  const given = Object.keys(MODEL_FLAGS).find((name) => flags.list(name).length > 0);
  if (given) throw usageError(`--${given} says how to compile, but ${path} is compiled already`);
  return { ...moduleInfoOf(path, bytes), notes: [] };
}

function text(path: string, { info, sizes, explanation }: Inspected): string {
  const line = (title: string, content: string): string => `${resultColors.dim(title.padEnd(8))} ${content}`;
  const size = `${formatBytes(sizes.total)}: code ${formatBytes(sizes.code)}, weights ${formatBytes(sizes.data)}, description ${formatBytes(sizes.info)}`;
  return [
    line('file', path),
    line('made by', `qc ${info.compiler}, target ${info.target}`),
    ...info.entries.flatMap((entry) => [
      ...entry.inputs.map((t) => line('input', tensorText(t))),
      ...entry.outputs.map((t) => line('output', tensorText(t))),
    ]),
    line('ops', opsText(info.ops)),
    line('module', size),
    line('memory', memoryText(info)),
    '',
    ...opRows(info.ops, explanation),
    ...(explanation ? ['', ...regionRows(explanation)] : []),
  ].join('\n');
}

async function run(path: string, flags: Flags): Promise<void> {
  const opened = openModel(path, flags.required('model-file'));
  const { bytes } = opened.files;
  const inspected = isWasm(bytes) ? inspectModule(path, bytes, flags) : await inspectModel(path, opened, flags);
  for (const note of inspected.notes) human(`${colors.yellow('note:')} ${note}`);
  if (flags.on('json'))
    resultJson({
      file: path,
      sizes: inspected.sizes,
      notes: inspected.notes,
      module: inspected.info,
      ...(inspected.explanation ? { explanation: inspected.explanation } : {}),
    });
  else {
    progress('');
    result(text(path, inspected));
  }
}

/** `qc inspect`. */
export const inspectCommand: Command = {
  name: 'inspect',
  summary: 'Show the ops with their ids, what is int8 and why not, sizes and memory',
  subject: { name: 'MODEL|MODULE', doc: 'An ONNX file, a folder with a model, or a .wasm made by qc compile' },
  flags: { ...MODEL_FLAGS, json: { boolean: true, describe: 'The same as JSON' } },
  examples: [
    ['qc inspect digits.onnx', 'compile in memory and list the ops'],
    ['qc inspect build/digits.wasm --json', 'what a module says about itself'],
  ],
  run,
};
