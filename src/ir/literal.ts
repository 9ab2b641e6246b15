/** Numbers and tensor data as text, and back, exactly. */
import { allocate, type TensorData } from './tensor.js';
import type { DType } from './type.js';

/** The number of elements up to which a constant is written as values, also in the full form. */
export const INLINE_ELEMENTS = 8;

/** A number as text that reads back as the same float64, -0 and infinities included. */
export function numberText(x: number): string {
  if (Object.is(x, -0)) return '-0';
  return Number.isFinite(x) ? String(x) : Number.isNaN(x) ? 'nan' : x > 0 ? 'inf' : '-inf';
}

/** The shortest decimal that rounds to the float32 `x`; numbers that are no float32 are written in full. */
export function float32Text(x: number): string {
  if (x === 0 || Math.fround(x) !== x || !Number.isFinite(x)) return numberText(x);
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(x.toPrecision(digits));
    if (Math.fround(short) === x) return String(short);
  }
  return String(Number(x.toPrecision(9)));
}

/** A number from the text that `numberText` writes; NaN for other text. */
export function parseNumber(text: string): number {
  if (text === 'inf') return Number.POSITIVE_INFINITY;
  return text === '-inf' ? Number.NEGATIVE_INFINITY : text === '' ? Number.NaN : Number(text);
}

/** One element of a tensor as text. */
export function elementText(data: TensorData, i: number): string {
  const x = data[i] as number | bigint;
  return typeof x === 'bigint' ? String(x) : data instanceof Float32Array ? float32Text(x) : numberText(x);
}

/** Whether all of the data may be written as a list of values without losing anything: short, and no NaN. */
export function isInline(data: TensorData): boolean {
  if (data.length > INLINE_ELEMENTS) return false;
  return !(data instanceof Float32Array && data.some(Number.isNaN));
}

/** Tensor data from a list of values as `elementText` writes them; undefined if one is not of the dtype. */
export function parseElements(dtype: DType, items: readonly string[]): TensorData | undefined {
  const data = allocate(dtype, items.length);
  for (const [i, item] of items.entries()) {
    if (data instanceof BigInt64Array) {
      if (!/^-?\d{1,19}$/.test(item)) return undefined;
      data[i] = BigInt(item);
      continue;
    }
    const x = parseNumber(item);
    if (Number.isNaN(x)) return undefined;
    data[i] = x;
    if (!(data instanceof Float32Array) && data[i] !== x) return undefined;
  }
  return data;
}

const bytesOf = (data: TensorData): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** The bytes of tensor data (little-endian) in base64. */
export function base64Text(data: TensorData): string {
  const bytes = bytesOf(data);
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 0x3000)
    parts.push(btoa(String.fromCharCode(...bytes.subarray(at, at + 0x3000))));
  return parts.join('');
}

/** Tensor data from base64; undefined if the text is not base64 of whole elements. */
export function parseBase64(dtype: DType, text: string): TensorData | undefined {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return undefined;
  }
  const width = allocate(dtype, 1).byteLength;
  if (binary.length % width !== 0) return undefined;
  const data = allocate(dtype, binary.length / width);
  const bytes = bytesOf(data);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return data;
}

/** A short digest of tensor data (FNV-1a over the bytes), to see in a dump whether two constants are equal. */
export function digestText(data: TensorData): string {
  let hash = 0x811c9dc5;
  for (const byte of bytesOf(data)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
