import { STORAGE_BYTES, type Storage } from '../kernel.js';

/** Element `index` of a tensor at a byte address, for the references of kernels. */
export function readElement(view: DataView, storage: Storage, base: number, index: number): number {
  const at = base + STORAGE_BYTES[storage] * index;
  if (storage === 'f32') return view.getFloat32(at, true);
  return storage === 'i16' ? view.getInt16(at, true) : view.getInt8(at);
}

/** Stores element `index` of a tensor at a byte address. */
export function writeElement(view: DataView, storage: Storage, base: number, index: number, value: number): void {
  const at = base + STORAGE_BYTES[storage] * index;
  if (storage === 'f32') view.setFloat32(at, value, true);
  else if (storage === 'i16') view.setInt16(at, value, true);
  else view.setInt8(at, value);
}

/** A memory as one array of a storage's elements. */
export function elementsOf(memory: ArrayBuffer, storage: Storage): Int8Array | Int16Array | Float32Array {
  if (storage === 'f32') return new Float32Array(memory);
  return storage === 'i16' ? new Int16Array(memory) : new Int8Array(memory);
}
