/** Random tensors and comparisons for tests. */
import { allocate, f32, type Tensor } from '../../src/ir/tensor.js';
import { codesType, type Quant, sizeOf } from '../../src/ir/type.js';

/** A seeded generator of numbers in [0, 1) (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Reals in [-range, range). */
export function reals(next: () => number, shape: readonly number[], range = 2): Tensor {
  return f32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => (next() * 2 - 1) * range),
  );
}

/** Codes anywhere in the range of a grid; `extreme` takes its ends only. */
export function codes(next: () => number, shape: readonly number[], quant: Quant, extreme = false): Tensor {
  const type = codesType({ dtype: 'f32', shape, quant });
  const data = allocate(quant.dtype, sizeOf(shape));
  const { min, max } = quant;
  for (let i = 0; i < data.length; i++)
    data[i] = extreme ? (next() < 0.5 ? min : max) : Math.floor(min + next() * (max - min + 1));
  return { type, data };
}

/** Throws unless shapes, dtypes and elements agree; floats to `tolerance` of the greatest magnitude expected. */
export function expectClose(
  actual: Tensor | undefined,
  expected: Tensor | undefined,
  tolerance = 1e-5,
  what = '',
): void {
  if (!actual || !expected) throw new Error(`${what}: a tensor is missing`);
  const [a, e] = [actual.type, expected.type];
  if (a.dtype !== e.dtype || a.shape.join() !== e.shape.join())
    throw new Error(`${what}: ${a.dtype}[${a.shape}] instead of ${e.dtype}[${e.shape}]`);
  let scale = 0;
  for (const v of expected.data) if (Number.isFinite(Number(v))) scale = Math.max(scale, Math.abs(Number(v)));
  const allowed = a.dtype === 'f32' ? tolerance * Math.max(scale, 1e-30) : 0;
  for (let i = 0; i < expected.data.length; i++) {
    const [x, y] = [Number(actual.data[i]), Number(expected.data[i])];
    // wide integers are compared as they are
    if (typeof expected.data[i] === 'bigint' && actual.data[i] !== expected.data[i])
      throw new Error(`${what}: element ${i} is ${actual.data[i]}, expected ${expected.data[i]}`);
    if (Object.is(x, y) || x === y || Math.abs(x - y) <= allowed) continue;
    throw new Error(`${what}: element ${i} is ${x}, expected ${y} (allowed difference ${allowed})`);
  }
}

/**
 * Throws unless every code is what the exact real results (in quanta of the grid, before rounding) round to. Results
 * within 1e-5 quanta (and the float32 resolution of large ones) of a tie may go either way.
 */
export function expectCodes(actual: Tensor, quanta: ArrayLike<number>, what = ''): void {
  const q = actual.type.quant as Quant;
  if (actual.data.length !== quanta.length)
    throw new Error(`${what}: ${actual.data.length} codes for ${quanta.length}`);
  const limit = (v: number): number => Math.min(Math.max(v + (q.zeroPoints[0] as number), q.min), q.max);
  for (let i = 0; i < quanta.length; i++) {
    const exact = quanta[i] as number;
    const slack = 1e-5 + Math.abs(exact) * 4e-7;
    const [low, high] = [limit(Math.round(exact - slack)), limit(Math.round(exact + slack))];
    const code = Number(actual.data[i]);
    if (code !== low && code !== high) throw new Error(`${what}: code ${i} is ${code}, exact value ${exact} quanta`);
  }
}
