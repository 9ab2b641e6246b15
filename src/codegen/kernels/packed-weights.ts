import type { Storage } from '../kernel.js';

/** Weights in the order of a kernel: centred codes, or reals. */
export type PackedWeights = Int8Array | Int16Array | Float32Array;

/** Zeroed memory for packed weights. */
export function packedArray(storage: Storage, length: number): PackedWeights {
  if (storage === 'f32') return new Float32Array(length);
  return storage === 'i16' ? new Int16Array(length) : new Int8Array(length);
}
