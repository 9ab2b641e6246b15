import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type GemmParams, packGemm } from '../../src/codegen/kernels/gemm.js';
import { PACK_COLUMNS, type PackParams, packedLength, packKernel } from '../../src/codegen/kernels/pack.js';
import { checkKernel, codesFor, TestMemory } from '../support/kernel-memory.js';

/** The order in which gemm reads weights, from the packer of constant ones. */
function packedBy(p: PackParams, codes: Int16Array): ArrayLike<number> {
  const params: GemmParams = {
    storage: 'i16',
    isa: 'simd',
    columns: p.n,
    rows: 1,
    cols: 1,
    taps: { ySegments: 1, xSegments: 1, length: p.k, yStride: 0, xStride: 0 },
    pixStride: p.k,
    rowStride: 0,
    outPix: p.n,
    outRow: 0,
    tile: { mr: 1, nr: PACK_COLUMNS },
    epilogue: { sum: 'i32', bias: 'none', residual: null, activation: null, output: { storage: 'f32' } },
  };
  return packGemm(params, (column, _, k) => codes[k * p.kStride + column * p.nStride]!);
}

test('the packed order is that of constant weights, from either orientation and storage', () => {
  const cases = fc.record({
    k: fc.integer({ min: 1, max: 19 }),
    n: fc.integer({ min: 1, max: 27 }),
    transposed: fc.boolean(),
    gap: fc.integer({ min: 0, max: 3 }),
    storage: fc.constantFrom('i8' as const, 'i16' as const),
  });
  fc.assert(
    fc.property(cases, fc.nat(100), ({ k, n, transposed, gap, storage }, seed) => {
      const strides = transposed ? { kStride: 1, nStride: k + gap } : { kStride: n + gap, nStride: 1 };
      const p: PackParams = { storage, k, n, ...strides };
      const memory = new TestMemory(2, seed);
      const codes = codesFor(storage, (n + gap) * (k + gap), seed);
      const target = memory.space(packedLength(p), 2);
      const out = checkKernel(packKernel, p, memory, [memory.tensor(storage, codes), target]);
      const packed = new Int16Array(out.buffer, target, packedLength(p));
      const expected = packedBy(p, codes);
      const steps = Math.ceil(k / 2);
      for (let column = 0; column < n; column++) {
        const first = column - (column % PACK_COLUMNS);
        const width = Math.min(PACK_COLUMNS, Math.ceil(n / 4) * 4 - first);
        for (let i = 0; i < 2 * steps; i++) {
          const at = first * 2 * steps + ((i >> 1) * width + (column % PACK_COLUMNS)) * 2 + (i % 2);
          assert.is(packed[at], expected[at], `column ${column}, k ${i} of ${JSON.stringify(p)}`);
        }
      }
    }),
    { numRuns: 150, seed: 4 },
  );
});

test.run();
