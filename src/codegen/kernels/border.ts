import type { ByteType } from '../builder/convert.js';
import type { Stmt } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import type { KernelDef } from '../kernel.js';
import { truncateFloat } from './integers.js';

/**
 * Values of other dtypes than f32 and i64 at the border of a module to and from what kernels compute with, one at a
 * time. Arguments: [source, target, count >= 1], and offset f32 for bytes.
 *
 * - i8, u8, bool: floats. enter: target = f32(x) + offset; leave: target = x + offset towards zero, saturated to 32
 *   bits, cut to bytes; bool is "not zero". The offset is added in float32.
 * - i32: 64-bit integers, of which the low 32 bits leave.
 */
export interface BorderParams {
  readonly direction: 'enter' | 'leave';
  readonly dtype: ByteType | 'i32';
}

function emit(f: FunctionBuilder, p: BorderParams): Stmt[] {
  const [source, target, count] = [f.param(0, 'i32'), f.param(1, 'i32'), f.param(2, 'i32')];
  const enters = p.direction === 'enter';
  const step = (outside: number, inside: number, store: Stmt): Stmt[] => [
    f.countDown(count, [
      store,
      f.advance(source, enters ? outside : inside),
      f.advance(target, enters ? inside : outside),
    ]),
  ];
  if (p.dtype === 'i32') {
    const store = enters
      ? f.storeI64(target, f.extendI32(f.loadI32(source)))
      : f.storeI32(target, f.lowI32(f.loadI64(source)));
    return step(4, 8, store);
  }
  const offset = f.param(3, 'f32');
  const value = f.f32Op('add', enters ? f.loadByte(p.dtype, source) : f.loadF32(source), offset);
  return step(1, 4, enters ? f.storeF32(target, value) : f.storeByte(p.dtype, target, value));
}

function reference(p: BorderParams, memory: ArrayBuffer, args: readonly number[]): void {
  const [source, target, count, offset = 0] = args as [number, number, number, number?];
  const view = new DataView(memory);
  const enters = p.direction === 'enter';
  const add = (x: number): number => Math.fround(x + Math.fround(offset));
  for (let i = 0; i < count; i++) {
    if (p.dtype === 'i32') {
      if (enters) view.setBigInt64(target + 8 * i, BigInt(view.getInt32(source + 4 * i, true)), true);
      else view.setInt32(target + 4 * i, Number(BigInt.asIntN(32, view.getBigInt64(source + 8 * i, true))), true);
    } else if (enters) {
      const x = p.dtype === 'i8' ? view.getInt8(source + i) : view.getUint8(source + i);
      view.setFloat32(target + 4 * i, add(x), true);
    } else {
      const x = add(view.getFloat32(source + 4 * i, true));
      const byte = p.dtype === 'bool' ? Number(x !== 0) : Number(BigInt.asUintN(8, truncateFloat(x, 32)));
      view.setUint8(target + i, byte);
    }
  }
}

/** Values at the border; see `BorderParams`. */
export const borderKernel: KernelDef<BorderParams> = {
  name: (p) => `${p.dtype}-${p.direction}`,
  signature: (p) => ({ params: ['i32', 'i32', 'i32', ...(p.dtype === 'i32' ? [] : (['f32'] as const))] }),
  emit,
  reference,
};
