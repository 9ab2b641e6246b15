import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { widen } from '../../src/codegen/kernels/widen.js';
import { checkKernel, randomInts, TestMemory } from '../support/kernel-memory.js';

test('bytes of both signs are widened and centred', () => {
  for (const source of ['i8', 'u8'] as const)
    for (const count of [16, 32, 176, 1024])
      for (const zeroPoint of [0, 1, -128, 127, 255]) {
        const memory = new TestMemory(1, count);
        const src = memory.space(count, 1);
        const next = randomInts(count);
        for (let i = 0; i < count; i++) memory.bytes[src + i] = next();
        const dst = memory.space(count, 2);
        checkKernel(widen, { source }, memory, [src, dst, count, zeroPoint]);
      }
});

test('the extreme codes keep their value', () => {
  const memory = new TestMemory(1, 1);
  const src = memory.space(16, 1);
  memory.bytes.set([0, 127, 128, 255], src);
  const dst = memory.space(16, 2);
  const centred = (source: 'i8' | 'u8', zeroPoint: number): number[] => [
    ...new Int16Array(checkKernel(widen, { source }, memory, [src, dst, 16, zeroPoint]).buffer, dst, 4),
  ];
  assert.equal(centred('i8', 0), [0, 127, -128, -1]);
  assert.equal(centred('i8', 127), [-127, 0, -255, -128]);
  assert.equal(centred('u8', 255), [-255, -128, -127, 0]);
});

test.run();
