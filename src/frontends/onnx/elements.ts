import type { DType } from '../../ir/type.js';
import { DataType } from './proto.js';

/** How an ONNX element type is read. */
export interface ElementType {
  /** The dtype that it becomes. */
  readonly dtype: DType;
  /** Bytes per element in raw data. */
  readonly width: number;
  /** Set where values change: the type is converted to float32. */
  readonly converted?: true;
}

const ELEMENT_TYPES: ReadonlyMap<number, ElementType> = new Map<number, ElementType>([
  [DataType.FLOAT, { dtype: 'f32', width: 4 }],
  [DataType.UINT8, { dtype: 'u8', width: 1 }],
  [DataType.INT8, { dtype: 'i8', width: 1 }],
  [DataType.INT32, { dtype: 'i32', width: 4 }],
  [DataType.INT64, { dtype: 'i64', width: 8 }],
  [DataType.BOOL, { dtype: 'bool', width: 1 }],
  [DataType.FLOAT16, { dtype: 'f32', width: 2, converted: true }],
  [DataType.BFLOAT16, { dtype: 'f32', width: 2, converted: true }],
  [DataType.DOUBLE, { dtype: 'f32', width: 8, converted: true }],
]);

/** How an element type is read, or undefined if qc has no such type. */
export const elementType = (dataType: number): ElementType | undefined => ELEMENT_TYPES.get(dataType);

/** The name of an element type for messages. */
export function elementName(dataType: number): string {
  const name = Object.entries(DataType).find(([, value]) => value === dataType)?.[0];
  return name?.toLowerCase() ?? `element type ${dataType}`;
}
