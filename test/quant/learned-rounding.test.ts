/** Rounding of weights by least squares: never worse than the nearest codes, and right where the best is known. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { damped, learnFilter, MomentSums } from '../../src/quant/learned-rounding.js';
import { random } from '../support/network.js';

/** (v - w)^T A (v - w). */
function errorOf(w: Float64Array, a: Float64Array, codes: ArrayLike<number>, scale: number): number {
  const d = w.map((v, i) => (codes[i] as number) * scale - v);
  return d.reduce((sum, di, i) => sum + di * d.reduce((s, dj, j) => s + (a[i * w.length + j] as number) * dj, 0), 0);
}

function rowsOf(seed: number, size: number, count: number): Float64Array[] {
  const next = random(seed);
  return Array.from({ length: count }, () => {
    const common = next();
    return Float64Array.from({ length: size }, () => Math.max(common + 0.3 * next(), 0));
  });
}

test('moments are means and covariances', () => {
  const rows = rowsOf(3, 5, 200);
  const sums = new MomentSums(5, true);
  for (const row of rows) sums.add(row);
  const { mean, covariance } = sums.finish();
  for (let i = 0; i < 5; i++) {
    const m = rows.reduce((s, r) => s + r[i], 0) / rows.length;
    assert.ok(Math.abs(m - mean[i]) < 1e-12);
    for (let j = 0; j < 5; j++) {
      const c = rows.reduce((s, r) => s + (r[i] - mean[i]) * (r[j] - mean[j]), 0) / rows.length;
      assert.ok(Math.abs(c - (covariance?.[i * 5 + j] as number)) < 1e-12);
    }
  }
});

test('learned codes are neighbours of the weights, and err no more than the nearest', () => {
  let gained = 0;
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 2, max: 12 }), (seed, size) => {
      const sums = new MomentSums(size, true);
      for (const row of rowsOf(seed, size, 50)) sums.add(row);
      const a = damped(sums.finish()) as Float64Array;
      const next = random(seed + 1);
      const w = Float64Array.from({ length: size }, () => next());
      const scale = Math.fround(w.reduce((m, v) => Math.max(m, Math.abs(v)), 0) / 7);
      const nearest = w.map((v) => Math.round(v / scale));
      const { codes } = learnFilter(w, a, scale, { clip: false, round: true });
      for (const [i, q] of codes.entries()) assert.ok(Math.abs(q * scale - w[i]) <= scale * (1 + 1e-9));
      const [learned, plain] = [errorOf(w, a, codes, scale), errorOf(w, a, nearest, scale)];
      assert.ok(learned <= plain * (1 + 1e-9));
      if (learned < 0.9 * plain) gained++;
      const clipped = learnFilter(w, a, scale, { clip: true, round: true });
      assert.ok(errorOf(w, a, clipped.codes, clipped.scale) <= learned * (1 + 1e-9));
    }),
    { numRuns: 60 },
  );
  assert.ok(gained >= 12, `${gained} of 60 gained`);
});

test('independent operands: the nearest code is the best', () => {
  const a = new Float64Array(9);
  for (let i = 0; i < 3; i++) a[4 * i] = 1 + i;
  const w = Float64Array.of(0.24, -0.26, 0.9);
  assert.equal(learnFilter(w, a, 0.5, { clip: false, round: true }).codes, Int8Array.of(0, -1, 2));
});

test.run();
