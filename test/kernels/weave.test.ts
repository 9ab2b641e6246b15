import { test } from 'uvu';
import { weave } from '../../src/codegen/kernels/weave.js';
import { checkKernel, randomCodes, TestMemory } from '../support/kernel-memory.js';

test('columns, tiles of both sides, segments, odd and even steps', () => {
  for (const groups of [1, 3, 5])
    for (const [from, to] of [
      [1, 1],
      [2, 2],
      [2, 4],
      [4, 2],
      [4, 3],
    ] as const)
      for (const pairs of [1, 2, 5])
        for (const segments of [1, 3]) {
          const memory = new TestMemory(1, groups + pairs);
          const source = memory.i8(randomCodes(8 * groups * pairs * segments, groups * pairs + from));
          const target = memory.space(16 * groups * Math.ceil(pairs / 2) * segments, 1);
          checkKernel(weave, {}, memory, [source, target, groups, from, to, segments, pairs, 0]);
        }
});

test.run();
