/** Slices along an axis against the reference. */
import { test } from 'uvu';
import { type ResampleParams, resampleKernel } from '../../src/codegen/kernels/resample.js';
import { checkKernel, randomCodes, randomFloats, TestMemory } from '../support/kernel-memory.js';

const OUTER = {
  dims: [2, 3],
  strides: [
    [300, 100],
    [400, 130],
  ],
} as const;

test('copies by constant indices', () => {
  for (const storage of ['f32', 'i16'] as const)
    for (const run of [1, 2, 3, 4, 7, 9, 17, 20]) {
      const memory = new TestMemory(4, run);
      const size = storage === 'f32' ? 4 : 2;
      const source = memory.tensor(storage, storage === 'f32' ? randomFloats(900, run) : randomCodes(900, run));
      const index = { kind: 'constant', taps: 1, weighted: false } as const;
      const params: ResampleParams = { storage, outer: OUTER, count: 5, step: 26, run, index };
      const table = memory.f32(new Float32Array(Int32Array.of(3, 0, 1, 1, 2).map((i) => i * 20 * size).buffer));
      checkKernel(resampleKernel, params, memory, [source, memory.space(900, size), table]);
    }
});

test('weighted sums of one, two and four taps', () => {
  for (const taps of [1, 2, 4])
    for (const run of [1, 3, 4, 8, 13]) {
      const memory = new TestMemory(4, run);
      const source = memory.f32(randomFloats(900, run));
      const index = { kind: 'constant', taps, weighted: true } as const;
      const params: ResampleParams = { storage: 'f32', outer: OUTER, count: 3, step: 40, run, index };
      const table = memory.f32(
        new Float32Array(Int32Array.from({ length: 3 * taps }, (_, i) => ((i * 7) % 5) * 80).buffer),
      );
      const weights = memory.f32(randomFloats(3 * taps, 5, 1));
      checkKernel(resampleKernel, params, memory, [source, memory.space(900, 4), table, weights]);
    }
});

test('computed indices: from the end, and limited to the source', () => {
  const memory = new TestMemory(4, 1);
  const source = memory.f32(randomFloats(900, 1));
  const index = { kind: 'computed', extent: 5, step: 20 } as const;
  const params: ResampleParams = { storage: 'f32', outer: OUTER, count: 8, step: 16, run: 16, index };
  const table = memory.f32([0, 4, -1, -5, -9, 17, 2, 1e9]);
  checkKernel(resampleKernel, params, memory, [source, memory.space(900, 4), table]);
});

test.run();
