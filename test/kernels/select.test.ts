/** The choice between two operands against its reference. */
import { test } from 'uvu';
import { selectKernel } from '../../src/codegen/kernels/select.js';
import { checkKernel, randomFloats, TestMemory } from '../support/kernel-memory.js';

test('vectors, tails, broadcasting, strides', () => {
  for (const n of [1, 3, 8, 21])
    for (const condition of [
      [n, 1],
      [1, 0],
      [0, 1],
      [0, 0],
    ]) {
      const memory = new TestMemory(4, n);
      const [c, a, b] = [1, 2, 3].map((seed) =>
        memory.f32(randomFloats(6 * n, seed, 5).map((v) => (seed === 1 && v < 0 ? 0 : v))),
      );
      const strides = [condition, [1, 3], [2 * n, 2], [n, 1]] as const;
      checkKernel(selectKernel, { dims: [3, n], strides }, memory, [c, a, b, memory.space(3 * n, 4)]);
    }
});

test.run();
