import { arrayFromBytes, type Tensor, type TensorData, tensor } from '../../ir/tensor.js';
import { modelError } from '../../support/errors.js';
import { bfloat16ToFloat32, halfToNumber } from '../half.js';
import { quoted } from '../names.js';
import { isPossibleShape } from '../shapes.js';
import { Unsupported } from '../unsupported.js';
import { type ElementType, elementName, elementType } from './elements.js';
import { DataLocation, DataType, type Int64, type TensorProto, toBigInt, toNumber } from './proto.js';

/** What reading tensors needs from outside. */
export interface TensorSource {
  /** The bytes of a file beside the model that holds weights. */
  readonly readExternal?: ((location: string) => Uint8Array) | undefined;
  /** Told when element types are converted to float32. */
  readonly onNote?: ((message: string) => void) | undefined;
}

/**
 * Reads a tensor of the model. Throws a model error if it is damaged and `Unsupported` if its element type has no place
 * in qc; `what` names it in messages.
 */
export function readTensor(proto: TensorProto, what: string, source: TensorSource = {}): Tensor {
  const element = elementType(proto.dataType);
  const name = elementName(proto.dataType);
  if (!element) throw new Unsupported(`${what} has elements of type ${name}`);
  const shape = readDims(proto.dims, what);
  const n = shape.reduce((product, d) => product * d, 1);
  const raw = proto.dataLocation === DataLocation.DEFAULT ? proto.rawData : readExternal(proto, what, source);
  const typed = raw.length === 0 ? typedField(proto) : undefined;
  const length = typed ? typed.length : raw.length / element.width;
  if (length !== n)
    throw modelError(`${what} holds ${length} elements of type ${name}, its shape [${shape}] needs ${n}`, {
      remedy: 'The file is damaged or incomplete: export it again.',
    });
  if (element.converted) source.onNote?.(`${what} is converted from ${name} to float32`);
  const data = typed ? fromTyped(proto, element, typed, what) : fromRaw(proto.dataType, element, raw);
  return tensor({ dtype: element.dtype, shape }, data);
}

/** Dimensions that are possible sizes, with a product that fits. */
function readDims(dims: readonly Int64[], what: string): number[] {
  const shape = dims.map(toNumber);
  if (!isPossibleShape(shape))
    throw modelError(`${what} has the impossible shape [${shape}]`, {
      remedy: 'The file is damaged: export it again.',
    });
  return shape;
}

/** The field that holds the elements where there are no raw data. */
function typedField(proto: TensorProto): readonly Int64[] {
  switch (proto.dataType) {
    case DataType.FLOAT:
      return proto.floatData;
    case DataType.DOUBLE:
      return proto.doubleData;
    case DataType.INT64:
      return proto.int64Data;
    default:
      return proto.int32Data;
  }
}

function fromTyped(proto: TensorProto, { dtype }: ElementType, values: readonly Int64[], what: string): TensorData {
  const numbers = (): number[] => values.map(toNumber);
  switch (dtype) {
    case 'i64':
      return BigInt64Array.from(values, toBigInt);
    case 'i32':
      return Int32Array.from(numbers());
    case 'bool':
      return Uint8Array.from(numbers(), (v) => (v === 0 ? 0 : 1));
    case 'f32':
      if (proto.dataType === DataType.FLOAT16) return Float32Array.from(numbers(), halfToNumber);
      return proto.dataType === DataType.BFLOAT16 ? bfloat16ToFloat32(numbers()) : Float32Array.from(numbers());
    default: {
      const codes = dtype === 'i8' ? Int8Array.from(numbers()) : Uint8Array.from(numbers());
      const wrapped = values.find((v, i) => codes[i] !== toNumber(v));
      if (wrapped !== undefined) throw modelError(`${what} holds ${toNumber(wrapped)}, which is no ${dtype}`);
      return codes;
    }
  }
}

/** Elements from raw bytes, copied. */
function fromRaw(dataType: number, { dtype }: ElementType, raw: Uint8Array): TensorData {
  const halves = (): Uint16Array => new Uint16Array(new Uint8Array(raw).buffer);
  if (dataType === DataType.DOUBLE) return Float32Array.from(arrayFromBytes('f64', raw) as Float64Array);
  if (dataType === DataType.FLOAT16) return Float32Array.from(halves(), halfToNumber);
  if (dataType === DataType.BFLOAT16) return bfloat16ToFloat32(halves());
  if (dtype === 'bool') return arrayFromBytes('u8', raw).map((v) => (v === 0 ? 0 : 1));
  return arrayFromBytes(dtype, raw);
}

/** The bytes of a tensor whose data lie in a file beside the model. */
function readExternal(proto: TensorProto, what: string, { readExternal }: TensorSource): Uint8Array {
  const entries = new Map(proto.externalData.map(({ key, value }) => [key, value]));
  const location = entries.get('location') ?? '';
  if (!readExternal)
    throw modelError(`${what} lies in another file, ${quoted(location)}`, {
      remedy: 'Save the model as one file: onnx.save_model(model, path, save_as_external_data=False).',
    });
  // A model must not make qc read files elsewhere on the machine.
  if (location === '' || /^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)/.test(location))
    throw modelError(`${what} lies in ${quoted(location)}, which is not a file beside the model`);
  const bytes = readExternal(location);
  const offset = Number(entries.get('offset') ?? 0);
  const length = Number(entries.get('length') ?? bytes.length - offset);
  if (!(Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0))
    throw modelError(`${what} has an impossible place in ${quoted(location)}`);
  if (offset + length > bytes.length)
    throw modelError(
      `${what} needs the bytes ${offset} to ${offset + length} of ${quoted(location)}, which has ${bytes.length}`,
    );
  return bytes.subarray(offset, offset + length);
}
