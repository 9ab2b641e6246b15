import { allocate, arrayFromBytes, byteSize, type FileDType, type Tensor, type TensorData } from '../ir/tensor.js';
import { type DType, sizeOf } from '../ir/type.js';
import { modelError } from '../support/errors.js';
import { type Field, readFields, readPacked } from './wire.js';

/** A tensor of a .pb file with the name that it has there, possibly empty. */
export interface NamedTensor {
  readonly name: string;
  readonly tensor: Tensor;
}

// Field numbers and data types of onnx.proto; data files need no more of it than this.
const DIMS = 1;
const DATA_TYPE = 2;
const FLOAT_DATA = 4;
const INT32_DATA = 5;
const INT64_DATA = 7;
const NAME = 8;
const RAW_DATA = 9;
const DOUBLE_DATA = 10;
const EXTERNAL_DATA = 13;
const DTYPES: Readonly<Record<number, FileDType>> = {
  1: 'f32',
  2: 'u8',
  3: 'i8',
  6: 'i32',
  7: 'i64',
  9: 'bool',
  11: 'f64',
};

/** The elements of the typed list of a data type, or undefined where the message has none. */
function listOf(fields: readonly Field[], dtype: FileDType): number[] | bigint[] | undefined {
  const of = (number: number): Field[] => fields.filter((f) => f.number === number);
  if (dtype === 'f32' || dtype === 'f64') {
    const list = of(dtype === 'f32' ? FLOAT_DATA : DOUBLE_DATA);
    return list.length ? list.flatMap((f) => readPacked(f, dtype)) : undefined;
  }
  const list = of(dtype === 'i64' ? INT64_DATA : INT32_DATA);
  if (!list.length) return undefined;
  const values = list.flatMap((f) => readPacked(f, 'varint'));
  return dtype === 'i64' ? values : values.map(Number);
}

/** The elements as a typed array of the IR; float64 is rounded to float32. */
function elements(fields: readonly Field[], dtype: FileDType, size: number): TensorData {
  const target: DType = dtype === 'f64' ? 'f32' : dtype;
  const raw = fields.filter((f) => f.number === RAW_DATA).at(-1)?.bytes;
  const list = listOf(fields, dtype);
  const width = byteSize(dtype);
  const count = raw && (!list || raw.length > 0) ? raw.length / width : (list?.length ?? 0);
  if (count !== size) throw modelError(`the tensor holds ${count} elements, its shape needs ${size}`);
  const data = allocate(target, size);
  if (list?.length) {
    for (let i = 0; i < size; i++) data[i] = list[i] as number & bigint;
    return data;
  }
  const source = arrayFromBytes(dtype, raw ?? new Uint8Array());
  for (let i = 0; i < size; i++) data[i] = source[i] as number & bigint;
  return data;
}

/** Reads a .pb file with one ONNX TensorProto, as test data sets of ONNX models have them. */
export function decodeTensorProto(bytes: Uint8Array): NamedTensor {
  if (bytes.length === 0) throw modelError('not an ONNX tensor: the file is empty');
  const fields = readFields(bytes);
  if (fields.some((f) => f.number === EXTERNAL_DATA)) throw modelError('a tensor with external data is not supported');
  const type = Number(fields.filter((f) => f.number === DATA_TYPE).at(-1)?.varint ?? 0n);
  const dtype = DTYPES[type];
  if (!dtype)
    throw modelError(
      type === 0 ? 'not an ONNX tensor: it has no data type' : `ONNX data type ${type} is not supported`,
      {
        remedy: 'Supported are float32, float64, int8, uint8, int32, int64 and bool.',
      },
    );
  const shape = fields.filter((f) => f.number === DIMS).flatMap((f) => readPacked(f, 'varint').map(Number));
  if (!shape.every((d) => Number.isSafeInteger(d) && d >= 0) || !Number.isSafeInteger(sizeOf(shape)))
    throw modelError(`not an ONNX tensor: shape [${shape}]`);
  const name = new TextDecoder().decode(fields.filter((f) => f.number === NAME).at(-1)?.bytes);
  const data = elements(fields, dtype, sizeOf(shape));
  return { name, tensor: { type: { dtype: dtype === 'f64' ? 'f32' : dtype, shape }, data } };
}
