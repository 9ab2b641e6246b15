import { arrayFromBytes, type FileDType, type TensorData } from '../../ir/tensor.js';
import type { DType } from '../../ir/type.js';
import { bfloat16ToFloat32, halfToNumber } from '../half.js';
import { VarType } from './proto.js';

/** How elements of a Paddle data type are read: the bytes of one, the dtype that they become, and the way. */
export interface ElementType {
  readonly dtype: DType;
  readonly width: number;
  read(raw: Uint8Array): TensorData;
}

const plain = (dtype: FileDType & DType, width: number): ElementType => ({
  dtype,
  width,
  read: (raw) => arrayFromBytes(dtype, raw) as TensorData,
});

const halves = (raw: Uint8Array): Uint16Array => new Uint16Array(new Uint8Array(raw).buffer);

const ELEMENT_TYPES: ReadonlyMap<number, ElementType> = new Map<number, ElementType>([
  [VarType.FP32, plain('f32', 4)],
  [VarType.INT8, plain('i8', 1)],
  [VarType.UINT8, plain('u8', 1)],
  [VarType.INT32, plain('i32', 4)],
  [VarType.INT64, plain('i64', 8)],
  [VarType.BOOL, { dtype: 'bool', width: 1, read: (raw) => Uint8Array.from(raw, (v) => (v === 0 ? 0 : 1)) }],
  [VarType.INT16, { dtype: 'i32', width: 2, read: (raw) => Int32Array.from(new Int16Array(halves(raw).buffer)) }],
  [VarType.FP64, { dtype: 'f32', width: 8, read: (raw) => Float32Array.from(arrayFromBytes('f64', raw) as never) }],
  [VarType.FP16, { dtype: 'f32', width: 2, read: (raw) => Float32Array.from(halves(raw), halfToNumber) }],
  [VarType.BF16, { dtype: 'f32', width: 2, read: (raw) => bfloat16ToFloat32(halves(raw)) }],
]);

/** How elements of a data type are read, or undefined if qc has no such type. */
export const elementType = (dataType: number): ElementType | undefined => ELEMENT_TYPES.get(dataType);

/** The name of a data type for messages. */
export function elementName(dataType: number): string {
  const name = Object.entries(VarType).find(([, value]) => value === dataType)?.[0];
  return name?.toLowerCase() ?? `data type ${dataType}`;
}
