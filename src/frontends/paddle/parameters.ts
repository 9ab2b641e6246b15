import { type Tensor, tensor } from '../../ir/tensor.js';
import { modelError } from '../../support/errors.js';
import type { ModelFiles } from '../../support/model-files.js';
import { quoted } from '../names.js';
import { isPossibleShape } from '../shapes.js';
import { elementName, elementType } from './elements.js';
import { type BlockDesc, decodeTensorDesc, type VarDesc, VarType } from './proto.js';

/** Where the bytes of a program's parameters are. */
export interface ParameterOptions {
  /** The name of the program's file, which gives the name of its parameters' file. */
  readonly file: string;
  /** The name of a file with all parameters; by convention where absent. */
  readonly paramsFile?: string | undefined;
}

/** How often a tensor may have levels of sequence offsets: parameters have none. */
const MAX_LEVELS = 16;

const DAMAGED = 'The file is damaged, or belongs to another program: export the model again.';

/** A place in a file of tensor streams; every step is checked against what is left. */
class Stream {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly file: string;
  private at = 0;
  /** The parameter that is being read, for messages. */
  what = '';

  constructor(bytes: Uint8Array, file: string) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.file = file;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  fail(problem: string): Error {
    return modelError(`${this.what} ${problem}`, { file: this.file, remedy: DAMAGED });
  }

  take(count: number): Uint8Array {
    if (count > this.left) throw this.fail(`needs ${count} bytes at ${this.at}, the file has ${this.left} left`);
    const part = this.bytes.subarray(this.at, this.at + count);
    this.at += count;
    return part;
  }

  u32(): number {
    this.take(4);
    return this.view.getUint32(this.at - 4, true);
  }

  u64(): number {
    this.take(8);
    return Number(this.view.getBigUint64(this.at - 8, true));
  }
}

/**
 * One tensor of a parameter file: u32 version 0; u64 levels, each u64 bytes + content; u32 version 0; i32 bytes of a
 * TensorDesc + content; the elements, little-endian, row-major.
 */
function readTensorStream(s: Stream, { tensor: stated }: VarDesc): Tensor {
  if (s.u32() !== 0) throw s.fail('is not in the known stream format');
  const levels = s.u64();
  if (levels > MAX_LEVELS) throw s.fail(`has ${levels} levels of offsets`);
  for (let i = 0; i < levels; i++) s.take(s.u64());
  if (s.u32() !== 0) throw s.fail('is not in the known tensor format');
  const { dataType, dims } = readDesc(s, s.take(s.u32()));
  if (!isPossibleShape(dims)) throw s.fail(`has the impossible shape [${dims}]`);
  if (stated && (stated.dims.join() !== dims.join() || stated.dataType !== dataType))
    throw s.fail(
      `is ${elementName(dataType)} [${dims}] in the file, the program says ${elementName(stated.dataType)} [${stated.dims}]`,
    );
  const element = elementType(dataType);
  if (!element) throw s.fail(`has elements of ${elementName(dataType)}, which is not supported`);
  const count = dims.reduce((n, d) => n * d, 1);
  return tensor({ dtype: element.dtype, shape: dims }, element.read(s.take(count * element.width)));
}

function readDesc(s: Stream, bytes: Uint8Array): { dataType: number; dims: readonly number[] } {
  try {
    return decodeTensorDesc(bytes);
  } catch {
    throw s.fail('has a damaged description');
  }
}

/** The order of names in a combined file: by their UTF-8 bytes. */
function compareBytes(a: string, b: string): number {
  const [x, y] = [a, b].map((name) => new TextEncoder().encode(name)) as [Uint8Array, Uint8Array];
  for (let i = 0; i < Math.min(x.length, y.length); i++) if (x[i] !== y[i]) return (x[i] as number) - (y[i] as number);
  return x.length - y.length;
}

/** The name of the file with all parameters, or null where each has a file of its own. */
function combinedFile({ names }: ModelFiles, { file, paramsFile }: ParameterOptions): string | null {
  if (paramsFile !== undefined) return paramsFile;
  const base = file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
  const stem = base.replace(/\.pdmodel$/, '');
  if (!names) return stem === base ? null : `${stem}.pdiparams`;
  const found = [`${stem}.pdiparams`, 'params', '__params__'].find((name) => names.includes(name));
  const others = names.filter((name) => name.endsWith('.pdiparams'));
  return found ?? (others.length === 1 ? (others[0] as string) : null);
}

/**
 * The parameters of a program by name; those with a file of their own are read when they are asked for. Throws model
 * errors for damaged, missing and superfluous bytes, before memory is taken for them.
 */
export function readParameters(
  block: BlockDesc,
  files: ModelFiles,
  options: ParameterOptions,
): Map<string, () => Tensor> {
  const vars = block.vars.filter((v) => v.persistable && v.kind === VarType.LOD_TENSOR);
  if (vars.length === 0) return new Map();
  const combined = combinedFile(files, options);
  if (combined === null) return new Map(vars.map((v) => [v.name, () => readOwnFile(v, files)]));
  const stream = new Stream(files.read(combined), combined);
  const parameters = new Map<string, () => Tensor>();
  for (const v of [...vars].sort((a, b) => compareBytes(a.name, b.name))) {
    stream.what = `parameter ${quoted(v.name)}`;
    if (parameters.has(v.name)) throw modelError(`two variables are named ${quoted(v.name)}`, { file: options.file });
    const data = readTensorStream(stream, v);
    parameters.set(v.name, () => data);
  }
  stream.what = `${vars.length} parameters`;
  if (stream.left > 0) throw stream.fail(`leave ${stream.left} bytes of the file unread`);
  return parameters;
}

function readOwnFile(v: VarDesc, files: ModelFiles): Tensor {
  const stream = new Stream(files.read(v.name), v.name);
  stream.what = `parameter ${quoted(v.name)}`;
  const data = readTensorStream(stream, v);
  if (stream.left > 0) throw stream.fail(`leaves ${stream.left} bytes of the file unread`);
  return data;
}
