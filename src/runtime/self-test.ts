import type { DataType, SelfTest, TensorInfo } from './abi.js';

/** How many bytes of an output a self-test keeps in plain. */
const HEAD_BYTES = 64;

/** What a byte of the generator means as an element of each type; f32 is a multiple of the input's scale. */
const WRITE: Record<DataType, (view: DataView, at: number, byte: number, scale: number) => void> = {
  f32: (view, at, byte, scale) => view.setFloat32(4 * at, Math.fround((byte - 128) * scale), true),
  i8: (view, at, byte) => view.setInt8(at, byte - 128),
  u8: (view, at, byte) => view.setUint8(at, byte),
  i32: (view, at, byte) => view.setInt32(4 * at, byte, true),
  i64: (view, at, byte) => view.setBigInt64(8 * at, BigInt(byte), true),
  bool: (view, at, byte) => view.setUint8(at, byte & 1),
};

const BYTES: Record<DataType, number> = { f32: 4, i8: 1, u8: 1, i32: 4, i64: 8, bool: 1 };

/** The size of a tensor's buffer in bytes. */
export const byteLengthOf = ({ dtype, shape }: TensorInfo): number => shape.reduce((n, d) => n * d, BYTES[dtype]);

/**
 * The bytes of an input of a self-test. Element i comes from b, the top byte of the (i+1)-th state of
 * x -> 1664525 x + 1013904223 mod 2^32, started at `seed` (each input starts anew):
 * f32((b - 128) * scale), where an input without scale has 1/64; i8: b - 128; u8, i32, i64: b; bool: b & 1.
 */
export function selfTestInput(info: TensorInfo, seed: number): Uint8Array {
  const bytes = new Uint8Array(byteLengthOf(info));
  const n = bytes.length / BYTES[info.dtype];
  const view = new DataView(bytes.buffer);
  const write = WRITE[info.dtype];
  let state = seed >>> 0;
  for (let i = 0; i < n; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    write(view, i, state >>> 24, info.scale ?? 1 / 64);
  }
  return bytes;
}

/** FNV-1a over bytes, 32 bits, as 8 hexadecimal digits. */
export function fnv1a(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

/** What a self-test keeps of an output. */
export function selfTestOutput(name: string, bytes: Uint8Array): SelfTest['outputs'][number] {
  const head = btoa(String.fromCharCode(...bytes.subarray(0, HEAD_BYTES)));
  return { name, fnv1a: fnv1a(bytes), head };
}
