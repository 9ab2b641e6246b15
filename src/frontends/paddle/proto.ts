/**
 * Paddle programs: protobuf bytes -> plain messages. The schema is that of Paddle's framework.proto (field numbers
 * below); fields that say nothing about inference are skipped unread, such as call stacks, most of a file's bytes.
 * Repeated numbers are read in both forms, packed or not.
 */
import protobuf from 'protobufjs/minimal.js';

const { Reader } = protobuf;
type Reader = protobuf.Reader;

/** A program: block 0 holds the network, in execution order. */
export interface ProgramDesc {
  readonly blocks: readonly BlockDesc[];
  /** Version of Paddle that wrote it, 2004001 for 2.4.1; 0 where unknown. */
  readonly version: number;
}

/** A list of ops with the variables that they name. */
export interface BlockDesc {
  readonly vars: readonly VarDesc[];
  readonly ops: readonly OpDesc[];
}

/** One op: slots hold lists of variable names. */
export interface OpDesc {
  readonly type: string;
  readonly inputs: ReadonlyMap<string, readonly string[]>;
  readonly outputs: ReadonlyMap<string, readonly string[]>;
  readonly attrs: ReadonlyMap<string, AttrDesc>;
}

/** An attribute: numbers and booleans of every kind are numbers, a single one is a list of one. */
export interface AttrDesc {
  readonly type: number;
  readonly numbers: readonly number[];
  readonly strings: readonly string[];
}

/** A variable; `tensor` is null where it is none. */
export interface VarDesc {
  readonly name: string;
  readonly kind: number;
  readonly tensor: TensorDesc | null;
  readonly persistable: boolean;
}

/** Type and shape of a tensor; -1 is an open size. */
export interface TensorDesc {
  readonly dataType: number;
  readonly dims: readonly number[];
}

/** VarType.Type. */
export const VarType = {
  BOOL: 0,
  INT16: 1,
  INT32: 2,
  INT64: 3,
  FP16: 4,
  FP32: 5,
  FP64: 6,
  LOD_TENSOR: 7,
  SELECTED_ROWS: 8,
  FEED_MINIBATCH: 9,
  FETCH_LIST: 10,
  LOD_TENSOR_ARRAY: 13,
  UINT8: 20,
  INT8: 21,
  BF16: 22,
  COMPLEX64: 23,
  COMPLEX128: 24,
} as const;

/** AttrType, as far as messages name it. */
export const AttrType = { BLOCK: 8, BLOCKS: 10, VAR: 13, VARS: 14 } as const;

/** Attributes that say nothing about inference. */
const SKIPPED = new Set(['op_callstack', 'op_role', 'op_role_var', 'op_namescope', 'op_device', 'with_quant_attr']);

/** Reads the fields of a message that ends at `end`; `field` says whether it took the value, others are skipped. */
function readMessage(r: Reader, end: number, field: (number: number, wire: number) => boolean): void {
  while (r.pos < end) {
    const tag = r.uint32();
    const [number, wire] = [tag >>> 3, tag & 7];
    if (number === 0 || wire === 3 || wire === 4) throw new Error(`a field of the impossible kind ${tag}`);
    if (!field(number, wire)) r.skipType(wire);
  }
  if (r.pos !== end) throw new Error('a message runs over its end');
}

/** The end of an embedded message or packed list, whose length comes next. */
function endOf(r: Reader, wire: number): number {
  if (wire !== 2) throw new Error('a number where a message should be');
  const length = r.uint32();
  const end = r.pos + length;
  if (end > r.len) throw new RangeError(`index out of range: ${r.pos} + ${length} > ${r.len}`);
  return end;
}

/** One number, or a packed list of them. */
function readNumbers(r: Reader, wire: number, to: number[], one: () => number): true {
  if (wire !== 2) to.push(one());
  else for (const end = endOf(r, wire); r.pos < end; ) to.push(one());
  return true;
}

const readText = (r: Reader, wire: number): string => {
  if (wire !== 2) throw new Error('a number where a text should be');
  return r.string();
};

/** A 64-bit integer, exact up to 2^53. */
const readLong = (r: Reader): number => Number(r.int64());

/** Decodes a program. Throws an Error with a one-line reason if the bytes are none. */
export function decodeProgram(bytes: Uint8Array): ProgramDesc {
  if (bytes.length === 0) throw new Error('it is empty');
  // A plain Uint8Array: a Buffer would give a reader of Node's own.
  const r = new Reader(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  const blocks: BlockDesc[] = [];
  let version = 0;
  readMessage(r, r.len, (field, wire) => {
    if (field === 1) blocks.push(readBlock(r, endOf(r, wire)));
    else if (field === 4)
      readMessage(r, endOf(r, wire), (f) => {
        if (f === 1) version = readLong(r);
        return f === 1;
      });
    else return false;
    return true;
  });
  if (blocks.length === 0) throw new Error('it holds no block');
  return { blocks, version };
}

function readBlock(r: Reader, end: number): BlockDesc {
  const vars: VarDesc[] = [];
  const ops: OpDesc[] = [];
  readMessage(r, end, (field, wire) => {
    if (field === 3) vars.push(readVar(r, endOf(r, wire)));
    else if (field === 4) ops.push(readOp(r, endOf(r, wire)));
    else return false;
    return true;
  });
  return { vars, ops };
}

function readOp(r: Reader, end: number): OpDesc {
  const inputs = new Map<string, string[]>();
  const outputs = new Map<string, string[]>();
  const attrs = new Map<string, AttrDesc>();
  let type = '';
  readMessage(r, end, (field, wire) => {
    if (field === 1 || field === 2) readSlot(r, endOf(r, wire), field === 1 ? inputs : outputs);
    else if (field === 3) type = readText(r, wire);
    else if (field === 4) readAttr(r, endOf(r, wire), attrs);
    else return false;
    return true;
  });
  return { type, inputs, outputs, attrs };
}

function readSlot(r: Reader, end: number, slots: Map<string, string[]>): void {
  let slot = '';
  const names: string[] = [];
  readMessage(r, end, (field, wire) => {
    if (field === 1) slot = readText(r, wire);
    else if (field === 2) names.push(readText(r, wire));
    else return false;
    return true;
  });
  slots.set(slot, names);
}

function readAttr(r: Reader, end: number, attrs: Map<string, AttrDesc>): void {
  let [name, type] = ['', 0];
  const numbers: number[] = [];
  const strings: string[] = [];
  readMessage(r, end, (field, wire) => {
    if (field === 1) name = readText(r, wire);
    else if (field === 2) type = r.int32();
    else if (SKIPPED.has(name)) return false;
    else return readAttrValue(r, field, wire, numbers, strings);
    return true;
  });
  if (!SKIPPED.has(name)) attrs.set(name, { type, numbers, strings });
}

/** The fields of OpDesc.Attr by what they hold. */
function readAttrValue(r: Reader, field: number, wire: number, numbers: number[], strings: string[]): boolean {
  switch (field) {
    case 3: // i
    case 6: // ints
    case 12: // block_idx
    case 14: // blocks_idx
      return readNumbers(r, wire, numbers, () => r.int32());
    case 4: // f
    case 7: // floats
      return readNumbers(r, wire, numbers, () => r.float());
    case 10: // b
    case 11: // bools
      return readNumbers(r, wire, numbers, () => Number(r.bool()));
    case 13: // l
    case 15: // longs
      return readNumbers(r, wire, numbers, () => readLong(r));
    case 16: // float64s
    case 19: // float64
      return readNumbers(r, wire, numbers, () => r.double());
    case 5: // s
    case 8: // strings
    case 17: // var_name
    case 18: // vars_name
      strings.push(readText(r, wire));
      return true;
    case 20: // scalar
    case 21: // scalars
      readScalar(r, endOf(r, wire), numbers);
      return true;
    default:
      return false;
  }
}

/** Scalar: b=2, i=3, r=4. */
function readScalar(r: Reader, end: number, numbers: number[]): void {
  readMessage(r, end, (field) => {
    if (field === 2) numbers.push(Number(r.bool()));
    else if (field === 3) numbers.push(readLong(r));
    else if (field === 4) numbers.push(r.double());
    else return false;
    return true;
  });
}

function readVar(r: Reader, end: number): VarDesc {
  let [name, kind, persistable] = ['', -1, false];
  let tensor: TensorDesc | null = null;
  readMessage(r, end, (field, wire) => {
    if (field === 1) name = readText(r, wire);
    else if (field === 3) persistable = r.bool();
    else if (field === 2)
      readMessage(r, endOf(r, wire), (f, w) => {
        if (f === 1) kind = r.int32();
        else if (f === 3) tensor = readLodTensor(r, endOf(r, w));
        else return false;
        return true;
      });
    else return false;
    return true;
  });
  return { name, kind, tensor, persistable };
}

function readLodTensor(r: Reader, end: number): TensorDesc | null {
  let tensor: TensorDesc | null = null;
  readMessage(r, end, (field, wire) => {
    if (field === 1) tensor = readTensorDesc(r, endOf(r, wire));
    return field === 1;
  });
  return tensor;
}

function readTensorDesc(r: Reader, end: number): TensorDesc {
  let dataType = -1;
  const dims: number[] = [];
  readMessage(r, end, (field, wire) => {
    if (field === 1) dataType = r.int32();
    else if (field === 2) return readNumbers(r, wire, dims, () => readLong(r));
    else return false;
    return true;
  });
  return { dataType, dims };
}

/** Decodes a TensorDesc on its own, as it stands in parameter files. Throws an Error with a one-line reason. */
export function decodeTensorDesc(bytes: Uint8Array): TensorDesc {
  const r = new Reader(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  return readTensorDesc(r, r.len);
}
