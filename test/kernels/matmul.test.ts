import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type MatmulParams, matmulKernel } from '../../src/codegen/kernels/matmul.js';
import { checkKernel, randomFloats, TestMemory } from '../support/kernel-memory.js';

function check(p: MatmulParams, seed: number): void {
  const memory = new TestMemory(4, seed);
  const a = randomFloats(p.batch * p.m * p.k, seed);
  const b = randomFloats((p.batchedB ? p.batch : 1) * p.k * p.n, seed + 1);
  const args = [memory.f32(a), memory.f32(b), memory.space(p.batch * p.m * p.n, 4)];
  const out = checkKernel(matmulKernel, p, memory, args);
  // one element against float64
  const [m, n] = [p.m - 1, p.n - 1];
  let sum = 0;
  for (let k = 0; k < p.k; k++) sum += a[m * p.k + k]! * b[p.transB ? n * p.k + k : k * p.n + n]!;
  assert.ok(Math.abs(new Float32Array(out.buffer, args[2])[m * p.n + n]! - sum) < 1e-3);
}

test('random shapes and transpositions agree with the reference', () => {
  const size = fc.integer({ min: 1, max: 21 });
  const cases = fc.record({
    batch: fc.integer({ min: 1, max: 3 }),
    m: size,
    k: size,
    n: size,
    transB: fc.boolean(),
    batchedB: fc.boolean(),
  });
  fc.assert(
    fc.property(cases, fc.nat(100), (p, seed) => check(p, seed)),
    { numRuns: 200, seed: 4 },
  );
});

test('attention scores and values', () => {
  check({ batch: 2, m: 50, k: 64, n: 50, transB: true, batchedB: true }, 1);
  check({ batch: 2, m: 50, k: 50, n: 64, transB: false, batchedB: true }, 2);
});

test.run();
