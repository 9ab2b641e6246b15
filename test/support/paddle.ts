/** Writes Paddle models: programs as protobuf, parameters as tensor streams. */
import protobuf from 'protobufjs/minimal.js';
import {
  type AttrDesc,
  type BlockDesc,
  type OpDesc,
  type ProgramDesc,
  type TensorDesc,
  type VarDesc,
  VarType,
} from '../../src/frontends/paddle/proto.js';
import type { DType } from '../../src/ir/type.js';
import type { ModelFiles } from '../../src/support/model-files.js';

const { Writer } = protobuf;
type Writer = protobuf.Writer;

/** How repeated numbers are written. */
export type Packing = 'packed' | 'unpacked';

const embed = (w: Writer, field: number, body: (w: Writer) => void): void => {
  w.uint32((field << 3) | 2).fork();
  body(w);
  w.ldelim();
};

const text = (w: Writer, field: number, value: string): void => void w.uint32((field << 3) | 2).string(value);

const numbers = (
  w: Writer,
  field: number,
  wire: number,
  list: readonly number[],
  packing: Packing,
  one: (w: Writer, v: number) => void,
): void => {
  if (packing === 'packed')
    return embed(w, field, (p) => {
      for (const v of list) one(p, v);
    });
  for (const v of list) {
    w.uint32((field << 3) | wire);
    one(w, v);
  }
};

const int = (w: Writer, v: number): void => void w.int32(v);
const long = (w: Writer, v: number): void => void w.int64(v);
const float = (w: Writer, v: number): void => void w.float(v);
const flag = (w: Writer, v: number): void => void w.bool(v !== 0);
const double = (w: Writer, v: number): void => void w.double(v);

/** Fields of OpDesc.Attr by AttrType: number, wire type, writer, whether it is a list. */
const NUMBER_FIELDS: Readonly<Record<number, readonly [number, number, (w: Writer, v: number) => void, boolean]>> = {
  0: [3, 0, int, false],
  1: [4, 5, float, false],
  3: [6, 0, int, true],
  4: [7, 5, float, true],
  6: [10, 0, flag, false],
  7: [11, 0, flag, true],
  8: [12, 0, int, false],
  9: [13, 0, long, false],
  11: [15, 0, long, true],
  12: [16, 1, double, true],
  15: [19, 1, double, false],
};

function writeAttr(w: Writer, name: string, { type, numbers: list, strings }: AttrDesc, packing: Packing): void {
  text(w, 1, name);
  w.uint32(2 << 3).int32(type);
  if (type === 2) return text(w, 5, strings[0] ?? '');
  if (type === 5) {
    for (const s of strings) text(w, 8, s);
    return;
  }
  const field = NUMBER_FIELDS[type];
  if (!field) throw new Error(`attribute ${name} of type ${type}`);
  numbers(w, field[0], field[1], list, field[3] ? packing : 'unpacked', field[2]);
}

function writeTensorDesc(w: Writer, { dataType, dims }: TensorDesc, packing: Packing): void {
  w.uint32(1 << 3).int32(dataType);
  numbers(w, 2, 0, dims, packing, long);
}

function writeVar(w: Writer, { name, kind, tensor, persistable }: VarDesc, packing: Packing): void {
  text(w, 1, name);
  embed(w, 2, (t) => {
    t.uint32(1 << 3).int32(kind);
    if (tensor) embed(t, 3, (lod) => embed(lod, 1, (d) => writeTensorDesc(d, tensor, packing)));
  });
  w.uint32(3 << 3).bool(persistable);
}

function writeOp(w: Writer, { type, inputs, outputs, attrs }: OpDesc, packing: Packing): void {
  const slots = (field: number, list: OpDesc['inputs']): void => {
    for (const [slot, names] of list)
      embed(w, field, (s) => {
        text(s, 1, slot);
        for (const name of names) text(s, 2, name);
      });
  };
  slots(1, inputs);
  slots(2, outputs);
  text(w, 3, type);
  for (const [name, attr] of attrs) embed(w, 4, (a) => writeAttr(a, name, attr, packing));
}

/** A program as bytes. */
export function encodeProgram({ blocks, version }: ProgramDesc, packing: Packing = 'unpacked'): Uint8Array {
  const w = Writer.create();
  for (const { vars, ops } of blocks)
    embed(w, 1, (b) => {
      b.uint32(1 << 3).int32(0);
      b.uint32(2 << 3).int32(-1);
      for (const v of vars) embed(b, 3, (x) => writeVar(x, v, packing));
      for (const op of ops) embed(b, 4, (x) => writeOp(x, op, packing));
    });
  embed(w, 4, (v) => void v.uint32(1 << 3).int64(version));
  return w.finish();
}

/** A tensor of a test model. */
export interface Data {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly values: ArrayLike<number | bigint>;
}

/** A float tensor. */
export const floats = (shape: readonly number[], values: ArrayLike<number>): Data => ({ dtype: 'f32', shape, values });

/** An integer tensor. */
export const ints = (shape: readonly number[], values: readonly number[], dtype: DType = 'i32'): Data => ({
  dtype,
  shape,
  values,
});

const DATA_TYPES: Readonly<Record<DType, number>> = {
  f32: VarType.FP32,
  i8: VarType.INT8,
  u8: VarType.UINT8,
  i32: VarType.INT32,
  i64: VarType.INT64,
  bool: VarType.BOOL,
};

/** The elements of a tensor, little-endian. */
function rawOf({ dtype, values }: Data): Uint8Array {
  const list = Array.from(values);
  const arrays = {
    f32: () => Float32Array.from(list.map(Number)),
    i8: () => Int8Array.from(list.map(Number)),
    u8: () => Uint8Array.from(list.map(Number)),
    i32: () => Int32Array.from(list.map(Number)),
    i64: () => BigInt64Array.from(list.map(BigInt)),
    bool: () => Uint8Array.from(list.map(Number)),
  };
  return new Uint8Array(arrays[dtype]().buffer);
}

/** A tensor as it stands in a file of parameters. */
export function encodeParameter(data: Data): Uint8Array {
  const w = Writer.create();
  writeTensorDesc(w, { dataType: DATA_TYPES[data.dtype], dims: data.shape }, 'unpacked');
  const desc = w.finish();
  const raw = rawOf(data);
  const bytes = new Uint8Array(20 + desc.length + raw.length);
  new DataView(bytes.buffer).setInt32(16, desc.length, true); // versions and levels are 0
  bytes.set(desc, 20);
  bytes.set(raw, 20 + desc.length);
  return bytes;
}

/** An attribute of a test model: integers that are meant as floats are written as `{ float }`. */
export type AttrInput =
  | number
  | string
  | boolean
  | readonly number[]
  | { readonly float: number | readonly number[] }
  | { readonly long: number | readonly number[] };

const listOf = (v: number | readonly number[]): readonly number[] => (typeof v === 'number' ? [v] : v);

function attrDesc(value: AttrInput): AttrDesc {
  const of = (type: number, list: readonly number[], strings: readonly string[] = []): AttrDesc => ({
    type,
    numbers: list,
    strings,
  });
  if (typeof value === 'boolean') return of(6, [Number(value)]);
  if (typeof value === 'string') return of(2, [], [value]);
  if (typeof value === 'number') return of(Number.isInteger(value) ? 0 : 1, [value]);
  if ('float' in value) return of(typeof value.float === 'number' ? 1 : 4, listOf(value.float));
  if ('long' in value) return of(typeof value.long === 'number' ? 9 : 11, listOf(value.long));
  return of(value.every(Number.isInteger) ? 3 : 4, value);
}

/** One op of a test model: slots name one variable or several. */
export interface OpInput {
  readonly type: string;
  readonly inputs: Readonly<Record<string, string | readonly string[]>>;
  readonly outputs: Readonly<Record<string, string | readonly string[]>>;
  readonly attrs?: Readonly<Record<string, AttrInput>>;
}

/** A test model: feed and fetch ops are added around its ops. */
export interface ModelInput {
  readonly inputs: Readonly<Record<string, { readonly shape: readonly number[]; readonly dtype?: DType }>>;
  readonly parameters?: Readonly<Record<string, Data>>;
  readonly ops: readonly OpInput[];
  readonly outputs: readonly string[];
  readonly version?: number;
}

const slotsOf = (slots: OpInput['inputs']): Map<string, readonly string[]> =>
  new Map(Object.entries(slots).map(([slot, names]) => [slot, typeof names === 'string' ? [names] : names]));

/** An op with its attributes as the program holds them. */
export const opDesc = ({ type, inputs, outputs, attrs = {} }: OpInput): OpDesc => ({
  type,
  inputs: slotsOf(inputs),
  outputs: slotsOf(outputs),
  attrs: new Map(Object.entries(attrs).map(([name, value]) => [name, attrDesc(value)])),
});

/** The program of a test model. */
export function programOf({ inputs, parameters = {}, ops, outputs, version = 2002000 }: ModelInput): ProgramDesc {
  const tensorVar = (name: string, dtype: DType, dims: readonly number[], persistable: boolean): VarDesc => ({
    name,
    kind: VarType.LOD_TENSOR,
    tensor: { dataType: DATA_TYPES[dtype], dims },
    persistable,
  });
  const known = new Set([...Object.keys(inputs), ...Object.keys(parameters)]);
  const made = ops.flatMap((op) => [...slotsOf(op.outputs).values()].flat()).filter((name) => !known.has(name));
  const vars: VarDesc[] = [
    { name: 'feed', kind: VarType.FEED_MINIBATCH, tensor: null, persistable: true },
    { name: 'fetch', kind: VarType.FETCH_LIST, tensor: null, persistable: true },
    ...Object.entries(inputs).map(([name, { shape, dtype = 'f32' }]) => tensorVar(name, dtype, shape, false)),
    ...Object.entries(parameters).map(([name, data]) => tensorVar(name, data.dtype, data.shape, true)),
    ...[...new Set(made)].map((name) => tensorVar(name, 'f32', [-1], false)),
  ];
  const feeds = Object.keys(inputs).map((name, col) =>
    opDesc({ type: 'feed', inputs: { X: 'feed' }, outputs: { Out: name }, attrs: { col } }),
  );
  const fetches = outputs.map((name, col) =>
    opDesc({ type: 'fetch', inputs: { X: name }, outputs: { Out: 'fetch' }, attrs: { col } }),
  );
  const block: BlockDesc = { vars, ops: [...feeds, ...ops.map(opDesc), ...fetches] };
  return { blocks: [block], version };
}

const byBytes = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  Buffer.compare(Buffer.from(a), Buffer.from(b));

/** All parameters in one file. */
export const combined = (parameters: Readonly<Record<string, Data>>): Uint8Array =>
  Buffer.concat(
    Object.entries(parameters)
      .sort(byBytes)
      .map(([, data]) => encodeParameter(data)),
  );

/** The files of a folder in memory; `bytes` is the one that `model` names. */
export function folderOf(model: string, files: Readonly<Record<string, Uint8Array>>): ModelFiles {
  const read = (name: string): Uint8Array => {
    const found = files[name];
    if (!found) throw new Error(`there is no file ${name}`);
    return found;
  };
  return { bytes: read(model), names: Object.keys(files), read };
}

/** A test model as the files of a folder. */
export const paddleModel = (model: ModelInput, packing: Packing = 'unpacked'): ModelFiles =>
  folderOf('m.pdmodel', {
    'm.pdmodel': encodeProgram(programOf(model), packing),
    'm.pdiparams': combined(model.parameters ?? {}),
  });
