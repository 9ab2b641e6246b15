import type { Options } from 'yargs';
import { readNamedTensor } from '../data/tensor-file.js';
import type { InputValue } from '../frontends/input-values.js';
import { readFile } from '../host/files.js';
import type { OpenedModel } from '../host/open-model.js';
import { numbers } from '../ir/tensor.js';
import type { CompileOptions } from '../options.js';
import { usageError } from '../support/errors.js';
import type { Flags } from './command.js';

/** Flags that say how a model is compiled; every command that compiles has them. */
export const MODEL_FLAGS: Readonly<Record<string, Options>> = {
  'model-file': {
    alias: 'quant_model_filename',
    string: true,
    requiresArg: true,
    describe: 'Name of the model file in a folder',
  },
  'params-file': {
    alias: 'quant_params_filename',
    string: true,
    requiresArg: true,
    describe: 'Name of the file with the parameters of a Paddle model, where it is not the usual one',
  },
  'no-infer-scales': {
    boolean: true,
    describe: 'Do not take thresholds in the attributes of a Paddle model as scales',
  },
  'ops-to-quantize': {
    alias: 'ops_to_quantize',
    string: true,
    requiresArg: true,
    describe: 'Only these op types become int8, e.g. conv2d,fc (default: all that can)',
  },
  'op-ids-to-skip': {
    alias: 'op_ids_to_skip',
    string: true,
    requiresArg: true,
    describe: 'Ops that stay in float, by the ids of qc inspect, e.g. 12,40',
  },
  'require-int8': {
    string: true,
    requiresArg: true,
    describe: 'Fail (exit code 1) unless every op of these types is int8, e.g. conv2d,fc',
  },
  'min-region': { string: true, requiresArg: true, describe: 'Int8 regions of fewer ops stay in float (default: 1)' },
  verify: {
    boolean: true,
    describe: 'Check after every pass that the numbers stay the same; takes some runs of the interpreter',
  },
  fp32: { boolean: true, describe: 'Compile everything in float' },
  precision: {
    string: true,
    requiresArg: true,
    describe: 'int8, fp32, or fake-quantized: float with the rounding of the model',
  },
  target: {
    string: true,
    requiresArg: true,
    describe: 'simd (every engine), relaxed (relaxed SIMD), or both: the loader chooses',
  },
  'fast-math': {
    boolean: true,
    describe: 'With --target relaxed: fused sums of reals, faster, last bits differ between engines',
  },
  batch: { string: true, requiresArg: true, describe: 'Size of a symbolic batch dimension (default: 1)' },
  'input-shape': {
    string: true,
    requiresArg: true,
    describe:
      'Shape of an input with symbolic dimensions, e.g. image=1x3x224x224. For other inputs, or again for another entry',
  },
  'input-value': {
    string: true,
    requiresArg: true,
    describe:
      'Value of an input that becomes a constant, e.g. axes=1,2 or NAME=FILE (.npy, .pb); repeat for other inputs',
  },
};

function opIds(flags: Flags): number[] | undefined {
  return flags.words('op-ids-to-skip')?.map((word) => {
    if (!/^\d+$/.test(word)) throw usageError(`--op-ids-to-skip takes op ids such as 12,40, not "${word}"`);
    return Number(word);
  });
}

function opTypes(flags: Flags): string[] | undefined {
  const words = flags.words('ops-to-quantize');
  // The converter that the flag comes from has an empty list by default, and means all.
  return words?.length === 0 ? undefined : words;
}

function requiredTypes(flags: Flags): string[] | undefined {
  const words = flags.words('require-int8');
  if (words?.length === 0) throw usageError('--require-int8 needs at least one op type');
  return words;
}

/** The shapes of the inputs: those that an input was given first, then sets of further ones. */
function inputShapes(flags: Flags): Record<string, number[]>[] {
  const sets: Record<string, number[]>[] = [{}];
  for (const text of flags.list('input-shape')) {
    const at = text.lastIndexOf('=');
    const dims = text.slice(at + 1).split(/[x,]/);
    if (at < 1 || !dims.every((d) => /^[1-9]\d*$/.test(d)))
      throw usageError(`--input-shape takes NAME=1x3x224x224, not "${text}"`);
    const name = text.slice(0, at);
    const open = sets.find((set) => !Object.hasOwn(set, name));
    if (open) open[name] = dims.map(Number);
    else sets.push({ [name]: dims.map(Number) });
  }
  return sets;
}

/** `1`, `1,-2`, `[1, 2]`, `[]` or `true` as numbers; undefined for anything else, which is the name of a file. */
function numbersIn(text: string): number | number[] | undefined {
  const list = /^\[(.*)\]$/.exec(text.trim());
  const words = (list ? (list[1] as string) : text).split(',').map((word) => word.trim());
  if (list && words.join('') === '') return [];
  const values = words.map((word) => (/^(true|false)$/.test(word) ? Number(word === 'true') : word && Number(word)));
  if (!values.every((v) => typeof v === 'number' && Number.isFinite(v))) return undefined;
  return list || values.length > 1 ? (values as number[]) : (values[0] as number);
}

function valueIn(file: string): InputValue {
  const named = readNamedTensor(file, readFile(file));
  if (!named) throw usageError(`--input-value takes numbers, a .npy or a .pb file, not "${file}"`);
  return { shape: named.tensor.type.shape, values: numbers(named.tensor) };
}

/** The values of the inputs that become constants. */
function inputValues(flags: Flags): Record<string, InputValue> {
  const values: Record<string, InputValue> = {};
  for (const text of flags.list('input-value')) {
    // Names and paths may hold "=": numbers stand behind the last one.
    const last = numbersIn(text.slice(text.lastIndexOf('=') + 1));
    const at = last === undefined ? text.indexOf('=') : text.lastIndexOf('=');
    if (at < 1 || at === text.length - 1) throw usageError(`--input-value takes NAME=1,2 or NAME=FILE, not "${text}"`);
    const name = text.slice(0, at);
    if (Object.hasOwn(values, name)) throw usageError(`--input-value was given twice for "${name}"`);
    values[name] = last ?? valueIn(text.slice(at + 1));
  }
  return values;
}

function precision(flags: Flags): string | undefined {
  const given = flags.required('precision');
  if (!flags.on('fp32')) return given;
  if (given !== undefined && given !== 'fp32')
    throw usageError(`--fp32 and --precision ${given} contradict each other`);
  return 'fp32';
}

/** The options of a compilation from the command line. The API checks what can be chosen. */
export function modelOptions({ file, name }: OpenedModel, flags: Flags): CompileOptions {
  const shapes = inputShapes(flags);
  return {
    name,
    file,
    opsToQuantize: opTypes(flags),
    opIdsToSkip: opIds(flags),
    requireInt8: requiredTypes(flags),
    verify: flags.on('verify'),
    minRegion: flags.count('min-region'),
    precision: precision(flags) as CompileOptions['precision'],
    paramsFile: flags.required('params-file'),
    inferScales: !flags.on('no-infer-scales'),
    target: flags.required('target') as CompileOptions['target'],
    fastMath: flags.on('fast-math'),
    batch: flags.count('batch'),
    inputShapes: shapes[0] ?? {},
    moreShapes: shapes.slice(1),
    inputValues: inputValues(flags),
  };
}
