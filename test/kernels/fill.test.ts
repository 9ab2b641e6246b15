import fc from 'fast-check';
import { test } from 'uvu';
import { fillKernel } from '../../src/codegen/kernels/fill.js';
import { checkKernel, TestMemory } from '../support/kernel-memory.js';

test('plain fills of all sizes', () => {
  for (const bytes of [0, 1, 2, 7, 16, 31, 48, 255, 256, 257, 5000]) {
    const memory = new TestMemory(1, bytes);
    checkKernel(fillKernel, { kind: 'all', bytes }, memory, [memory.space(bytes, 1)]);
  }
});

test('random halos agree with the reference', () => {
  const cases = fc.record({
    storage: fc.constantFrom('i16' as const, 'f32' as const),
    height: fc.integer({ min: 1, max: 6 }),
    width: fc.integer({ min: 1, max: 6 }),
    pix: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constant(96)),
    gap: fc.constantFrom(0, 0, 5),
    pads: fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.nat(3)),
  });
  fc.assert(
    fc.property(cases, ({ storage, height, width, pix, gap, pads }) => {
      const row = (pads[1] + width + pads[3]) * pix + gap;
      const memory = new TestMemory(3, pix);
      const target = memory.space((pads[0] + height + pads[2]) * row, storage === 'i16' ? 2 : 4);
      checkKernel(fillKernel, { kind: 'halo', storage, height, width, pix, row, pads }, memory, [target]);
    }),
    { numRuns: 150, seed: 5 },
  );
});

test.run();
