import type { Binaryen } from './module.js';

type Module = InstanceType<Binaryen['Module']>;

/** Integer element types in memory. */
export type IntegerType = 'i8' | 'u8' | 'i32' | 'i64' | 'bool';

/** Bytes per element. */
export const INTEGER_BYTES: Readonly<Record<IntegerType, number>> = { i8: 1, u8: 1, i32: 4, i64: 8, bool: 1 };

/** Loads an integer from memory as the nearest float. */
export function loadInteger(m: Module, type: IntegerType, ptr: number): number {
  switch (type) {
    case 'i8':
      return m.f32.convert_s.i32(m.i32.load8_s(0, 1, ptr));
    case 'i32':
      return m.f32.convert_s.i32(m.i32.load(0, 1, ptr));
    case 'i64':
      return m.f32.convert_s.i64(m.i64.load(0, 1, ptr));
    default:
      return m.f32.convert_u.i32(m.i32.load8_u(0, 1, ptr));
  }
}

/** Stores a float as an integer: towards zero, saturated to 32 or 64 bits and then cut; bool is "not zero". */
export function storeInteger(m: Module, type: IntegerType, ptr: number, value: number): number {
  switch (type) {
    case 'bool':
      return m.i32.store8(0, 1, ptr, m.f32.ne(value, m.f32.const(0)));
    case 'i32':
      return m.i32.store(0, 1, ptr, m.i32.trunc_s_sat.f32(value));
    case 'i64':
      return m.i64.store(0, 1, ptr, m.i64.trunc_s_sat.f32(value));
    default:
      return m.i32.store8(0, 1, ptr, m.i32.trunc_s_sat.f32(value));
  }
}
