/** Normalized rows and places of extremes against their references. */
import { test } from 'uvu';
import { argReduceKernel } from '../../src/codegen/kernels/arg-reduce.js';
import { normalizeKernel } from '../../src/codegen/kernels/normalize.js';
import { topKKernel } from '../../src/codegen/kernels/top-k.js';
import { checkKernel, randomFloats, TestMemory } from '../support/kernel-memory.js';

test('rows of every length, in place and not', () => {
  for (const n of [1, 2, 3, 4, 5, 8, 31])
    for (const inPlace of [false, true]) {
      const memory = new TestMemory(4, n);
      const source = memory.f32(randomFloats(3 * n, n));
      const target = inPlace ? source : memory.space(3 * n, 4);
      checkKernel(normalizeKernel, { rows: 3, n }, memory, [source, target, Math.fround(1e-5)]);
    }
});

test('places of extremes along any dimension', () => {
  for (const op of ['max', 'min'] as const)
    for (const last of [false, true])
      for (const [size, step, kept] of [
        [7, 1, 7],
        [7, 9, 1],
        [1, 1, 1],
        [13, 20, 1],
      ] as const) {
        const memory = new TestMemory(4, size);
        const source = memory.f32(randomFloats(400, size).map((v) => Math.round(v)));
        const dims = [
          { size: 3, source: 91, target: 10 },
          { size: 9, source: kept, target: 1 },
        ];
        const params = { op, last, kept: dims, size, step };
        checkKernel(argReduceKernel, params, memory, [source, memory.space(40, 4)]);
      }
});

test('the first elements in order, along any dimension', () => {
  for (const largest of [false, true])
    for (const [size, k, steps] of [
      [7, 3, [9, 1, 4]],
      [5, 5, [1, 30, 20]],
      [1, 1, [1, 1, 1]],
    ] as const) {
      const memory = new TestMemory(4, size);
      const source = memory.f32(randomFloats(400, size).map((v) => Math.round(2 * v)));
      const kept = {
        dims: [2, 9],
        strides: [
          [150, size === 7 ? 1 : 7],
          [200, 9],
          [200, 6],
        ],
      };
      const params = { largest, k, kept, size, steps };
      const args = [source, memory.space(500, 4), memory.space(500, 4)];
      checkKernel(topKKernel, params, memory, args);
    }
});

test.run();
