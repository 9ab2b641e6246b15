import { INTEGER_BYTES, type IntegerType } from '../builder/convert.js';
import type { Stmt } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import type { KernelDef } from '../kernel.js';

/**
 * Integers at the border of a module to and from the floats that the kernels compute with, one at a time.
 * Arguments: [source, target, count >= 1, offset f32]. enter: target = f32(x) + offset; leave: target = x + offset
 * towards zero, saturated to 32 or 64 bits, cut to bytes; bool is "not zero". The offset is added in float32.
 */
export interface BorderParams {
  readonly direction: 'enter' | 'leave';
  readonly dtype: IntegerType;
}

function emit(f: FunctionBuilder, p: BorderParams): Stmt[] {
  const [source, target, count] = [f.param(0, 'i32'), f.param(1, 'i32'), f.param(2, 'i32')];
  const offset = f.param(3, 'f32');
  const enters = p.direction === 'enter';
  const value = f.f32Op('add', enters ? f.loadInteger(p.dtype, source) : f.loadF32(source), offset);
  return [
    f.countDown(count, [
      enters ? f.storeF32(target, value) : f.storeInteger(p.dtype, target, value),
      f.advance(source, enters ? INTEGER_BYTES[p.dtype] : 4),
      f.advance(target, enters ? 4 : INTEGER_BYTES[p.dtype]),
    ]),
  ];
}

const saturated = (x: number, bits: number): bigint =>
  Number.isNaN(x)
    ? 0n
    : x >= 2 ** (bits - 1)
      ? 2n ** BigInt(bits - 1) - 1n
      : x < -(2 ** (bits - 1))
        ? -(2n ** BigInt(bits - 1))
        : BigInt(Math.trunc(x));

function reference(p: BorderParams, memory: ArrayBuffer, args: readonly number[]): void {
  const [source, target, count, offset] = args as [number, number, number, number];
  const view = new DataView(memory);
  const size = INTEGER_BYTES[p.dtype];
  const read = (at: number): number => {
    if (p.dtype === 'i8') return view.getInt8(at);
    if (p.dtype === 'i32') return view.getInt32(at, true);
    return p.dtype === 'i64' ? Number(view.getBigInt64(at, true)) : view.getUint8(at);
  };
  const write = (at: number, x: number): void => {
    if (p.dtype === 'bool') view.setUint8(at, x === 0 ? 0 : 1);
    else if (p.dtype === 'i64') view.setBigInt64(at, saturated(x, 64), true);
    else if (p.dtype === 'i32') view.setInt32(at, Number(saturated(x, 32)), true);
    else view.setUint8(at, Number(BigInt.asUintN(8, saturated(x, 32))));
  };
  const add = (x: number): number => Math.fround(Math.fround(x) + Math.fround(offset));
  for (let i = 0; i < count; i++)
    if (p.direction === 'enter') view.setFloat32(target + 4 * i, add(read(source + size * i)), true);
    else write(target + size * i, add(view.getFloat32(source + 4 * i, true)));
}

/** Integers at the border; see `BorderParams`. */
export const borderKernel: KernelDef<BorderParams> = {
  name: (p) => `${p.dtype}-${p.direction}`,
  signature: () => ({ params: ['i32', 'i32', 'i32', 'f32'] }),
  emit,
  reference,
};
