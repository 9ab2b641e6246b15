import { test } from 'uvu';
import { weave } from '../../src/codegen/kernels/weave.js';
import { checkKernel, randomCodes, TestMemory } from '../support/kernel-memory.js';

test('widths, odd and even steps, blocks', () => {
  for (const width of [4, 8, 12, 16])
    for (const pairs of [1, 2, 3, 6])
      for (const blocks of [1, 3]) {
        const last = width - 4;
        const memory = new TestMemory(1, width + pairs);
        const source = memory.i8(randomCodes(2 * (width + last) * pairs * blocks, width * pairs));
        const target = memory.space(4 * (width + last) * Math.ceil(pairs / 2) * blocks, 1);
        checkKernel(weave, {}, memory, [source, target, width, pairs, blocks, last, last && blocks, 0]);
      }
});

test.run();
