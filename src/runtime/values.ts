import type { TensorInfo } from './abi.js';

/** The class of the elements of each type. */
export const ARRAYS = {
  f32: Float32Array,
  i8: Int8Array,
  u8: Uint8Array,
  i32: Int32Array,
  i64: BigInt64Array,
  bool: Uint8Array,
} as const;

/** Name of the class of any object, also one of another realm. */
export const classOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);
export const isBytes = (value: unknown): value is BufferSource =>
  ArrayBuffer.isView(value) || /ArrayBuffer$/.test(classOf(value));
export const isModule = (value: unknown): value is WebAssembly.Module => classOf(value) === 'WebAssembly.Module';
export const count = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);
export const reason = (error: unknown): string => (error as Error)?.message ?? String(error);
export const describe = ({ name, dtype, shape }: TensorInfo): string =>
  `"${name}" (${ARRAYS[dtype].name} of ${count(shape)}, shape [${shape}])`;
