/** Other dtypes at the border of a module, byte by byte. */
import { test } from 'uvu';
import { borderKernel } from '../../src/codegen/kernels/border.js';
import { checkKernel, randomFloats, TestMemory } from '../support/kernel-memory.js';

for (const dtype of ['i8', 'u8', 'bool'] as const) {
  test(`${dtype} in and out`, () => {
    for (const count of [1, 7, 40]) {
      const memory = new TestMemory(4, count);
      const bytes = memory.f32(randomFloats(2 * count, count, 3e6));
      checkKernel(borderKernel, { direction: 'enter', dtype }, memory, [bytes, memory.space(count, 4), count, 0]);
      const floats = memory.f32(randomFloats(count, count, 300, true));
      checkKernel(borderKernel, { direction: 'leave', dtype }, memory, [floats, memory.space(count, 8), count, 3]);
    }
  });
}

test('i32 in and out, exactly', () => {
  for (const count of [1, 7, 40]) {
    const memory = new TestMemory(4, count);
    const words = memory.f32(randomFloats(2 * count, count, 3e6));
    for (const direction of ['enter', 'leave'] as const)
      checkKernel(borderKernel, { direction, dtype: 'i32' }, memory, [words, memory.space(count, 8), count]);
  }
});

test.run();
