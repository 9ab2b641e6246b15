/** Multiplications in one turn of the loops of a probe module (probe-module.ts). */
export const PROBE_PRODUCTS = { probe: 48 * 8, pairs: 48 * 8, bytes: 24 * 16, reals: 48 * 4 } as const;

/** Bytes that one turn of `stream` reads and writes. */
export const STREAM_BYTES = 2 << 20;
