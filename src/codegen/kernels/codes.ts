/** Codes between memory and registers: the one place that knows how each storage of codes is read and written. */
import type { I32, Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { type CodeStorage, STORAGE_BYTES } from '../kernel.js';

/** Eight codes as i16x8. */
export const loadCodes8 = (f: FunctionBuilder, storage: CodeStorage, ptr: I32, offset = 0): V128 =>
  storage === 'i16' ? f.load(ptr, offset) : f.loadAs('load8x8_s', ptr, offset);

/** Four codes as i32x4. */
export const loadCodes4 = (f: FunctionBuilder, storage: CodeStorage, ptr: I32, offset = 0): V128 =>
  storage === 'i16'
    ? f.loadAs('load16x4_s', ptr, offset)
    : f.unary(
        'i32x4',
        'extend_low_i16x8_s',
        f.unary('i16x8', 'extend_low_i8x16_s', f.loadAs('load32_zero', ptr, offset)),
      );

/** Two neighbouring codes in every lane, as i16x8. */
export const splatPair = (f: FunctionBuilder, storage: CodeStorage, ptr: I32, offset = 0): V128 =>
  storage === 'i16'
    ? f.loadAs('load32_splat', ptr, offset)
    : f.unary('i16x8', 'extend_low_i8x16_s', f.loadAs('load16_splat', ptr, offset));

/** One code. */
export const loadCode = (f: FunctionBuilder, storage: CodeStorage, ptr: I32, offset = 0): I32 =>
  storage === 'i16' ? f.loadI16(ptr, offset) : f.loadI8(ptr, offset);

/** Stores one code. */
export const storeCode = (f: FunctionBuilder, storage: CodeStorage, ptr: I32, value: I32, offset = 0): Stmt =>
  storage === 'i16' ? f.storeI16(ptr, value, offset) : f.storeI8(ptr, value, offset);

/** Vectors of eight i16 codes as the bytes of a storage: one vector for i16, up to two for i8. Each is used once. */
export const packCodes = (f: FunctionBuilder, storage: CodeStorage, low: V128, high?: V128): V128 =>
  storage === 'i16' ? low : f.op('i8x16', 'narrow_i16x8_s', low, high ?? f.zero());

/** Stores the first `count` lanes of `bits` bits of a vector; the vector is computed once. */
export function storeLanes(
  f: FunctionBuilder,
  bits: 8 | 16 | 32,
  value: V128,
  count: number,
  out: I32,
  offset: number,
): Stmt {
  if (count * bits === 128) return f.store(out, value, offset);
  const v = f.local('v128');
  const parts: Stmt[] = [v.set(value)];
  let done = 0;
  for (const width of [64, 32, 16, 8] as const) {
    const lanes = width / bits;
    if (lanes < 1 || count - done < lanes) continue;
    parts.push(f.storeLane(width, out, v, (done / lanes) as 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7, offset + (done * bits) / 8));
    done += lanes;
  }
  return f.seq(parts);
}

/**
 * Stores the first `count` of the codes in vectors of eight, eight at a time: where 16 of them are narrowed to one vector, V8's
 * pass for 256 bits pairs the wrong operands and gives up.
 */
export function storeCodeVectors(
  f: FunctionBuilder,
  storage: CodeStorage,
  vectors: readonly V128[],
  count: number,
  out: I32,
  offset = 0,
): Stmt {
  const bits = (8 * STORAGE_BYTES[storage]) as 8 | 16;
  const parts = vectors
    .slice(0, Math.ceil(count / 8))
    .map((codes, i) =>
      storeLanes(f, bits, packCodes(f, storage, codes), Math.min(8, count - 8 * i), out, offset + i * bits),
    );
  return f.seq(parts);
}
