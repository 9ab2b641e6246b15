import { assert } from '../support/errors.js';
import { type DType, sizeOf, type TensorType } from './type.js';

/** The typed arrays behind each dtype; bool is one byte, 0 or 1. */
export interface DataOf {
  f32: Float32Array;
  i8: Int8Array;
  u8: Uint8Array;
  i32: Int32Array;
  i64: BigInt64Array;
  bool: Uint8Array;
}

/** The elements of a tensor of any dtype. */
export type TensorData = DataOf[DType];

/** Element types of data in files: the IR's, and float64, which becomes float32. */
export type FileDType = DType | 'f64';

/** A tensor in row-major order of its logical shape. */
export interface Tensor {
  readonly type: TensorType;
  readonly data: TensorData;
}

const CONSTRUCTORS = {
  f32: Float32Array,
  i8: Int8Array,
  u8: Uint8Array,
  i32: Int32Array,
  i64: BigInt64Array,
  bool: Uint8Array,
  f64: Float64Array,
} as const;

/** Bytes per element. */
export const byteSize = (dtype: FileDType): number => CONSTRUCTORS[dtype].BYTES_PER_ELEMENT;

/** A new zeroed array for `n` elements of a dtype. */
export function allocate<D extends DType>(dtype: D, n: number): DataOf[D] {
  return new CONSTRUCTORS[dtype](n) as DataOf[D];
}

/** The elements that little-endian bytes hold, as a copy: in a file they lie at any alignment. */
export function arrayFromBytes<D extends DType>(dtype: D, bytes: Uint8Array): DataOf[D];
export function arrayFromBytes(dtype: FileDType, bytes: Uint8Array): TensorData | Float64Array;
export function arrayFromBytes(dtype: FileDType, bytes: Uint8Array): TensorData | Float64Array {
  return new CONSTRUCTORS[dtype](new Uint8Array(bytes).buffer);
}

/** A tensor over existing data. Throws if the length does not match the shape. */
export function tensor(type: TensorType, data: TensorData): Tensor {
  assert(data.length === sizeOf(type.shape), `tensor of shape [${type.shape}] with ${data.length} elements`);
  return { type, data };
}

/** A float32 tensor. */
export const f32 = (shape: readonly number[], data: ArrayLike<number>): Tensor =>
  tensor({ dtype: 'f32', shape }, data instanceof Float32Array ? data : Float32Array.from(data));

/** An int64 tensor from plain numbers. */
export const i64 = (shape: readonly number[], values: readonly number[]): Tensor =>
  tensor({ dtype: 'i64', shape }, BigInt64Array.from(values, BigInt));

/** Elements as plain numbers (int64 must be within the exact range of a double). */
export function numbers(t: Tensor): number[] {
  return t.data instanceof BigInt64Array ? Array.from(t.data, Number) : Array.from(t.data);
}

/** Row-major strides of a shape, in elements. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i] as number;
  }
  return strides;
}
