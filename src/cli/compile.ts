import { basename, join } from 'node:path';
import { type CompileResult, compile } from '../compile.js';
import { writeFiles } from '../host/files.js';
import { openModel } from '../host/open-model.js';
import { dumpFiles } from '../report/dump-files.js';
import { enforceLimits } from '../tasks/limits.js';
import { calibrationFor } from './calibrate-with.js';
import { CALIBRATION_FLAGS } from './calibration-flags.js';
import type { Command, Flags } from './command.js';
import { DATA_FLAGS } from './data-flags.js';
import { DEBUG_FORMAT_FLAG, dumpFormats } from './debug-flags.js';
import { EMBEDDING_FLAGS, embeddingOptions } from './embedding-flags.js';
import { MAX_SIZE_FLAG, sizeLimits } from './limit-flags.js';
import { MODEL_FLAGS, modelOptions } from './model-flags.js';
import { floatReasons, memoryText, opsText } from './summary.js';
import { colors, formatBytes, formatTime, human, progress, resultJson } from './terminal.js';

interface Compiled {
  readonly model: string;
  readonly out: string;
  readonly debug: string | undefined;
  /** Names of the files in the folder for debugging. */
  readonly dumps: readonly string[];
  readonly result: CompileResult;
  readonly milliseconds: number;
}

const bytesOf = (data: Uint8Array | string): number => Buffer.byteLength(data);

function summary({ model, out, debug, dumps, result, milliseconds }: Compiled): string {
  const { report, files, notes, modelBytes } = result;
  const line = (title: string, text: string): string => `  ${colors.dim(title.padEnd(8))} ${text}`;
  const sizes = files.map((f) => `${f.name} ${formatBytes(bytesOf(f.data))}`).join(', ');
  return [
    `${colors.green('compiled')} ${basename(model)} (${formatBytes(modelBytes)}) to ${colors.bold(out)}`,
    line('ops', opsText(report.ops)),
    ...floatReasons(report.ops).map((text) => line('float', text)),
    line('files', sizes),
    line('memory', memoryText(report)),
    line('time', formatTime(milliseconds)),
    ...(debug === undefined ? [] : [line('debug', `${dumps.length} files in ${debug}`)]),
    ...notes.map((note) => `${colors.yellow('note:')} ${note}`),
  ].join('\n');
}

function json({ out, debug, dumps, result, milliseconds }: Compiled): object {
  const { report, files, notes, modelBytes } = result;
  const written = files.map((f) => ({ name: f.name, path: join(out, f.name), bytes: bytesOf(f.data) }));
  const dumped = debug === undefined ? [] : dumps.map((name) => join(debug, name));
  return { files: written, modelBytes, notes, dumps: dumped, milliseconds: Math.round(milliseconds), module: report };
}

async function run(path: string, flags: Flags): Promise<void> {
  const out = flags.required('out') ?? '.';
  const formats = dumpFormats(flags);
  const given = flags.text('debug') ?? (flags.list('debug-format').length === 0 ? undefined : '');
  const debug = given === undefined ? undefined : given || 'qc-debug';
  const model = openModel(path, flags.required('model-file'));
  const options = modelOptions(model, flags);
  const limitSizes = sizeLimits(flags);
  const start = performance.now();
  const calibration = await calibrationFor(model, flags);
  progress('reading the model');
  const result = await compile(model.files, {
    ...options,
    ...(calibration ? { calibration } : {}),
    ...embeddingOptions(flags),
    inline: flags.on('inline'),
    profile: flags.on('profile'),
    debug: debug !== undefined,
    onPass: (event) => progress(`pass ${event.index} ${event.name}`),
  });
  const milliseconds = performance.now() - start;
  const dumps = debug === undefined ? [] : await dumpFiles(result.stages, formats, model.name);
  if (debug !== undefined) writeFiles(debug, dumps);
  // what an engine may have to fetch, the loader counts only where the module is inside
  const shipped = result.files.filter(
    ({ name }) => !/\.d\.ts$/.test(name) && (flags.on('inline') || !/\.mjs$/.test(name)),
  );
  enforceLimits(limitSizes(shipped.map(({ name, data }) => ({ name, bytes: bytesOf(data) }))));
  writeFiles(out, result.files);
  const compiled: Compiled = { model: path, out, debug, dumps: dumps.map((d) => d.name), result, milliseconds };
  human(summary(compiled));
  if (flags.on('json')) resultJson(json(compiled));
}

const { data: _data, ...SAMPLE_FLAGS } = DATA_FLAGS;

/** `qc compile`. */
export const compileCommand: Command = {
  name: 'compile',
  summary: 'Compile a model to one WebAssembly module with its loader and types',
  subject: { name: 'MODEL', doc: 'An ONNX file, or a folder with a model', flag: 'quant_model_path' },
  flags: {
    out: {
      alias: ['o', 'int8_model_save_path'],
      string: true,
      requiresArg: true,
      describe: 'Folder for NAME.wasm, NAME.mjs, NAME.d.ts (default: .)',
    },
    quant_model_path: {
      string: true,
      requiresArg: true,
      hidden: true,
      describe: "MODEL, as Paddle's converter names it",
    },
    ...MODEL_FLAGS,
    ...EMBEDDING_FLAGS,
    'calibrate-with': {
      string: true,
      requiresArg: true,
      describe: 'Calibrate a float model with these samples first, as qc calibrate --data does',
    },
    ...CALIBRATION_FLAGS,
    ...SAMPLE_FLAGS,
    inline: { boolean: true, describe: 'Put the module into NAME.mjs; no NAME.wasm' },
    profile: { boolean: true, describe: 'Export step(i), so that net.profile() gives the time of every layer' },
    debug: { string: true, describe: 'Write the graph after each pass as NN_pass.dot (default folder: qc-debug)' },
    ...DEBUG_FORMAT_FLAG,
    ...MAX_SIZE_FLAG,
    json: { boolean: true, describe: 'Report on stdout as JSON' },
  },
  examples: [
    ['qc compile digits.onnx -o build', 'build/digits.wasm, digits.mjs, digits.d.ts'],
    ['qc compile net.onnx --ops-to-quantize conv2d,fc', 'int8 for convolutions and dense layers only'],
    ['qc compile net.onnx --op-ids-to-skip 0,91 --debug', 'two ops in float; graphs in qc-debug/'],
    ['qc compile net.onnx --debug graphs --debug-format html', 'graphs/explorer.html: look at every pass'],
    ['qc compile net.onnx --input-shape image=1x3x224x224', 'fix symbolic dimensions'],
    ['qc compile float.onnx --calibrate-with images --samples 100', 'calibrate and compile at once'],
    ['qc compile det/ --input-shape x=1x3x320x320', 'a folder with inference.pdmodel and inference.pdiparams'],
  ],
  run,
};
