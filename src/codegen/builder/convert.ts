import type { Binaryen } from './module.js';

type Module = InstanceType<Binaryen['Module']>;

/** Element types of one byte in memory that kernels compute with as floats. */
export type ByteType = 'i8' | 'u8' | 'bool';

/** Loads a byte from memory as the float that equals it. */
export function loadByte(m: Module, type: ByteType, ptr: number): number {
  return type === 'i8' ? m.f32.convert_s.i32(m.i32.load8_s(0, 1, ptr)) : m.f32.convert_u.i32(m.i32.load8_u(0, 1, ptr));
}

/** Stores a float as a byte: towards zero, saturated to 32 bits and then cut; bool is "not zero". */
export function storeByte(m: Module, type: ByteType, ptr: number, value: number): number {
  const whole = type === 'bool' ? m.f32.ne(value, m.f32.const(0)) : m.i32.trunc_s_sat.f32(value);
  return m.i32.store8(0, 1, ptr, whole);
}
