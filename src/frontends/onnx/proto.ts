/**
 * The one adapter over onnx-proto: protobuf bytes -> plain messages.
 *
 * The rest of the front end knows only the interfaces below. Absent fields hold their defaults ('' / 0 / [] / empty
 * bytes / null for messages). Enum fields are plain numbers, because files may carry values newer than the schema.
 */
import onnxProto from 'onnx-proto';

/** A 64-bit integer as the decoder gives it; read it with `toNumber` or `toBigInt`. */
export type Int64 = number | { readonly low: number; readonly high: number; readonly unsigned: boolean };

/** A model file. */
export interface ModelProto {
  irVersion: Int64;
  opsetImport: OperatorSetIdProto[];
  producerName: string;
  producerVersion: string;
  domain: string;
  modelVersion: Int64;
  docString: string;
  graph: GraphProto;
  metadataProps: StringStringEntryProto[];
  functions: FunctionProto[];
}

/** An operator set that the model uses. */
export interface OperatorSetIdProto {
  domain: string;
  version: Int64;
}

/** A key with its value. */
export interface StringStringEntryProto {
  key: string;
  value: string;
}

/** A model-local function; only its name matters, to say that it is not supported. */
export interface FunctionProto {
  name: string;
}

/** The graph of a model, or one inside of a node. */
export interface GraphProto {
  name: string;
  node: NodeProto[];
  initializer: TensorProto[];
  sparseInitializer: SparseTensorProto[];
  input: ValueInfoProto[];
  output: ValueInfoProto[];
  valueInfo: ValueInfoProto[];
  docString: string;
}

/** One node; inputs and outputs are names of values. */
export interface NodeProto {
  name: string;
  opType: string;
  domain: string;
  input: string[];
  output: string[];
  attribute: AttributeProto[];
  docString: string;
}

/** `type` says which of the fields holds the value (see AttributeType); 0 in files of IR version 1. */
export interface AttributeProto {
  name: string;
  refAttrName: string;
  type: number;
  f: number;
  i: Int64;
  s: Uint8Array;
  t: TensorProto | null;
  g: GraphProto | null;
  floats: number[];
  ints: Int64[];
  strings: Uint8Array[];
  tensors: TensorProto[];
  graphs: GraphProto[];
}

/** `rawData` is a view into the file's bytes, at any alignment. */
export interface TensorProto {
  name: string;
  dims: Int64[];
  dataType: number;
  dataLocation: number;
  rawData: Uint8Array;
  floatData: number[];
  doubleData: number[];
  int32Data: number[];
  int64Data: Int64[];
  uint64Data: Int64[];
  stringData: Uint8Array[];
  externalData: StringStringEntryProto[];
}

/** A sparse tensor; only its presence matters, to say that it is not supported. */
export interface SparseTensorProto {
  values: TensorProto | null;
  indices: TensorProto | null;
  dims: Int64[];
}

/** The name and type of a value. */
export interface ValueInfoProto {
  name: string;
  type: TypeProto | null;
  docString: string;
}

/** The type of a value; null where it is no tensor. */
export interface TypeProto {
  tensorType: { elemType: number; shape: TensorShapeProto | null } | null;
}

/** A shape; a dimension is a size or a symbol. */
export interface TensorShapeProto {
  dim: DimensionProto[];
}

/** A fixed size (`dimValue`), a symbolic one (`dimParam`) or, with both null, an unknown one. */
export interface DimensionProto {
  dimValue: Int64 | null;
  dimParam: string | null;
}

/** AttributeProto.type. */
export const AttributeType = {
  UNDEFINED: 0,
  FLOAT: 1,
  INT: 2,
  STRING: 3,
  TENSOR: 4,
  GRAPH: 5,
  FLOATS: 6,
  INTS: 7,
  STRINGS: 8,
  TENSORS: 9,
  GRAPHS: 10,
  SPARSE_TENSOR: 11,
  SPARSE_TENSORS: 12,
  TYPE_PROTO: 13,
  TYPE_PROTOS: 14,
} as const;

/** TensorProto.dataType and TypeProto.tensorType.elemType, up to IR version 10. */
export const DataType = {
  UNDEFINED: 0,
  FLOAT: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  STRING: 8,
  BOOL: 9,
  FLOAT16: 10,
  DOUBLE: 11,
  UINT32: 12,
  UINT64: 13,
  COMPLEX64: 14,
  COMPLEX128: 15,
  BFLOAT16: 16,
  FLOAT8E4M3FN: 17,
  FLOAT8E4M3FNUZ: 18,
  FLOAT8E5M2: 19,
  FLOAT8E5M2FNUZ: 20,
  UINT4: 21,
  INT4: 22,
} as const;

/** TensorProto.dataLocation. */
export const DataLocation = { DEFAULT: 0, EXTERNAL: 1 } as const;

/** Decodes a model file. Throws an Error with a one-line reason if the bytes are not an ONNX model with a graph. */
export function decodeModel(bytes: Uint8Array): ModelProto {
  const model = decode(bytes, (b) => onnxProto.onnx.ModelProto.decode(b));
  if (!model.graph) throw new Error('not an ONNX model: it holds no graph');
  return model as unknown as ModelProto;
}

/** The bytes of a model file. The message is given as onnx-proto names its fields; absent ones have their defaults. */
export const encodeModel = (model: object): Uint8Array => onnxProto.onnx.ModelProto.encode(model).finish();

/** A 64-bit integer as a number: exact up to 2^53 in magnitude, rounded beyond. */
export function toNumber(value: Int64): number {
  if (typeof value === 'number') return value;
  return (value.unsigned ? value.high >>> 0 : value.high) * 2 ** 32 + (value.low >>> 0);
}

/** A 64-bit integer, exactly. */
export function toBigInt(value: Int64): bigint {
  if (typeof value === 'number') return BigInt(value);
  const bits = (BigInt(value.high >>> 0) << 32n) | BigInt(value.low >>> 0);
  return value.unsigned ? bits : BigInt.asIntN(64, bits);
}

function decode<T>(bytes: Uint8Array, read: (bytes: Uint8Array) => T): T {
  if (bytes.length === 0) throw new Error('not an ONNX model: it is empty');
  try {
    // A plain Uint8Array: from a Buffer the decoder would cut Buffers, which behave differently under slice().
    return read(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  } catch (error) {
    throw new Error(`not an ONNX model: ${reason(error)}`, { cause: error });
  }
}

/** What a decoder error means in plain words; deep nesting arrives as the engine's stack overflow. */
function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (/call stack|too much recursion/i.test(message)) return 'its messages are nested too deeply';
  if (message.startsWith('index out of range')) return `it is truncated or damaged (${message})`;
  return message;
}
