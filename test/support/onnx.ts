/** ONNX files from plain objects, for tests and for the model zoo (tools/zoo). */
import onnxProto from 'onnx-proto';
import { AttributeType, DataLocation, DataType } from '../../src/frontends/onnx/proto.js';

/** ONNX element types by the names that tests use. */
const ELEMENT = {
  f32: DataType.FLOAT,
  u8: DataType.UINT8,
  i8: DataType.INT8,
  i32: DataType.INT32,
  i64: DataType.INT64,
  bool: DataType.BOOL,
} as const;

/** A name of the table above, or an ONNX element type as a number. */
export type ElementType = keyof typeof ELEMENT | number;

/** A tensor of a test model: values in plain numbers, or the raw bytes, or the fields of the message. */
export interface TensorSpec {
  readonly shape: readonly number[];
  /** f32 if absent. */
  readonly dtype?: ElementType;
  readonly data?: readonly number[];
  readonly raw?: Uint8Array;
  /** Further fields of the TensorProto, as onnx-proto names them. */
  readonly fields?: object;
}

/**
 * An attribute: an integer becomes INT, another number FLOAT, a string STRING, a list of integers INTS, another list of
 * numbers FLOATS. `{ float: 1 }`, `{ floats: [1, 2] }` and `{ tensor }` say it; `{ fields }` gives the message's fields.
 */
export type AttrSpec =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly tensor: TensorSpec }
  | { readonly fields: object };

export interface NodeSpec {
  readonly op: string;
  readonly name?: string;
  readonly domain?: string;
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly attrs?: Readonly<Record<string, AttrSpec>>;
}

/** A size, a symbolic name, or null for an unknown size. */
export type DimSpec = number | string | null;

/** A float shape, or a shape with its element type; a null shape is not written at all. */
export type ValueSpec =
  | readonly DimSpec[]
  | { readonly shape: readonly DimSpec[] | null; readonly dtype?: ElementType };

export interface ModelSpec {
  readonly name?: string;
  readonly producer?: string;
  /** 13 if absent; null leaves the opset out. */
  readonly opset?: number | null;
  readonly opsets?: Readonly<Record<string, number>>;
  readonly inputs?: Readonly<Record<string, ValueSpec>>;
  /** Names, or names with their types. */
  readonly outputs?: readonly string[] | Readonly<Record<string, ValueSpec>>;
  readonly nodes?: readonly NodeSpec[];
  readonly initializers?: Readonly<Record<string, TensorSpec>>;
  readonly valueInfo?: Readonly<Record<string, ValueSpec>>;
  /** Further fields of the GraphProto. */
  readonly graphFields?: object;
}

/** The number of an element type. */
const elementType = (type: ElementType = 'f32'): number => (typeof type === 'number' ? type : ELEMENT[type]);

/** The bytes of a list of numbers in a type of the table. */
function rawData(type: number, data: readonly number[]): Uint8Array {
  const bytesOf = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer as ArrayBuffer);
  switch (type) {
    case DataType.FLOAT:
      return bytesOf(Float32Array.from(data));
    case DataType.DOUBLE:
      return bytesOf(Float64Array.from(data));
    case DataType.INT32:
      return bytesOf(Int32Array.from(data));
    case DataType.INT64:
      return bytesOf(BigInt64Array.from(data, BigInt));
    case DataType.INT8:
      return bytesOf(Int8Array.from(data));
    case DataType.UINT8:
    case DataType.BOOL:
      return Uint8Array.from(data);
    default:
      throw new Error(`give the raw bytes of element type ${type}`);
  }
}

/** A TensorProto message. */
function tensorProto(name: string, spec: TensorSpec): object {
  const dataType = elementType(spec.dtype);
  const raw = spec.raw ?? (spec.data && rawData(dataType, spec.data));
  return { name, dims: spec.shape, dataType, ...(raw ? { rawData: raw } : {}), ...spec.fields };
}

/** The bytes of a `.pb` file with one tensor. */
export const tensorBytes = (name: string, spec: TensorSpec): Uint8Array =>
  onnxProto.onnx.TensorProto.encode(tensorProto(name, spec)).finish();

/** The fields of a TensorProto whose data lie in another file. */
export const externalFields = (location: string, offset?: number, length?: number): object => ({
  dataLocation: DataLocation.EXTERNAL,
  externalData: Object.entries({ location, offset, length })
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ({ key, value: String(value) })),
});

function attribute(name: string, spec: AttrSpec): object {
  if (typeof spec === 'string') return { name, type: AttributeType.STRING, s: new TextEncoder().encode(spec) };
  if (typeof spec === 'number')
    return Number.isInteger(spec)
      ? { name, type: AttributeType.INT, i: spec }
      : { name, type: AttributeType.FLOAT, f: spec };
  if ('float' in spec) return { name, type: AttributeType.FLOAT, f: spec.float };
  if ('floats' in spec) return { name, type: AttributeType.FLOATS, floats: spec.floats };
  if ('tensor' in spec) return { name, type: AttributeType.TENSOR, t: tensorProto('', spec.tensor) };
  if ('fields' in spec) return { name, ...spec.fields };
  return spec.every(Number.isInteger)
    ? { name, type: AttributeType.INTS, ints: spec }
    : { name, type: AttributeType.FLOATS, floats: spec };
}

function valueInfo(name: string, spec: ValueSpec): object {
  const { shape, dtype } = 'shape' in spec ? spec : { shape: spec, dtype: undefined };
  const dim = shape?.map((d) => (d === null ? {} : typeof d === 'string' ? { dimParam: d } : { dimValue: d }));
  return { name, type: { tensorType: { elemType: elementType(dtype), ...(dim ? { shape: { dim } } : {}) } } };
}

const valueInfos = (specs: Readonly<Record<string, ValueSpec>> = {}): object[] =>
  Object.entries(specs).map(([name, spec]) => valueInfo(name, spec));

/** The bytes of an ONNX file. */
export function model(spec: ModelSpec): Uint8Array {
  const opset = spec.opset === undefined ? 13 : spec.opset;
  const opsets = { ...(opset === null ? {} : { '': opset }), ...spec.opsets };
  const isNames = (o: ModelSpec['outputs']): o is readonly string[] => Array.isArray(o);
  const graph = {
    name: spec.name ?? 'test',
    node: (spec.nodes ?? []).map((node) => ({
      name: node.name ?? '',
      opType: node.op,
      domain: node.domain ?? '',
      input: node.inputs ?? [],
      output: node.outputs ?? [],
      attribute: Object.entries(node.attrs ?? {}).map(([name, value]) => attribute(name, value)),
    })),
    initializer: Object.entries(spec.initializers ?? {}).map(([name, value]) => tensorProto(name, value)),
    input: valueInfos(spec.inputs),
    output: isNames(spec.outputs) ? spec.outputs.map((name) => ({ name })) : valueInfos(spec.outputs),
    valueInfo: valueInfos(spec.valueInfo),
    ...spec.graphFields,
  };
  const opsetImport = Object.entries(opsets).map(([domain, version]) => ({ domain, version }));
  return onnxProto.onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport,
    producerName: spec.producer ?? 'test',
    graph,
  } as object).finish();
}
