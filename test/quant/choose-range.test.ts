/** Algorithms that choose ranges, against independent evaluations. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { chooseRange } from '../../src/quant/choose-range.js';
import { gridError, gridOver, rangeOfGrid } from '../../src/quant/grids.js';
import { Histogram } from '../../src/quant/histogram.js';
import { klDivergence, klThreshold } from '../../src/quant/kl-threshold.js';
import { random } from '../support/network.js';

const of = (data: ArrayLike<number>): Histogram => {
  const h = new Histogram();
  h.add(Float32Array.from(data));
  return h;
};

/** Seeded numbers: uniform in (0, 1], normal by Box and Muller, Laplace by inversion. */
const sampler = (seed: number) => {
  const next = random(seed);
  const uniform = (): number => (next() + 1) / 2 + 2 ** -33;
  return {
    uniform,
    normal: (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
    laplace: (): number => (uniform() < 0.5 ? -1 : 1) * -Math.log(uniform()),
  };
};

/** The divergence as it is defined: P and Q as lists, normalized, summed over all bins. */
function divergence(counts: readonly number[], n: number, levels: number): number {
  const p = counts.slice(0, n);
  p[n - 1] += counts.slice(n).reduce((a, b) => a + b, 0);
  const q = new Array<number>(n).fill(0);
  for (let level = 0; level < levels; level++) {
    const [from, to] = [Math.floor((level * n) / levels), Math.floor(((level + 1) * n) / levels)];
    const filled = p.slice(from, to).filter((v) => v > 0).length;
    const mass = counts.slice(from, to).reduce((a, b) => a + b, 0);
    for (let i = from; i < to; i++) if (p[i] > 0) q[i] = mass > 0 ? mass / filled : 1e-4;
  }
  const [sumP, sumQ] = [p, q].map((list) => list.reduce((a, b) => a + b, 0));
  return p.reduce((sum, v, i) => (v > 0 ? sum + (v / sumP) * Math.log(v / sumP / (q[i] / sumQ)) : sum), 0);
}

test('kl: the divergence is that of its definition, for every threshold', () => {
  const list = fc.array(fc.oneof(fc.constant(0), fc.nat(1000)), { minLength: 16, maxLength: 120 });
  fc.assert(
    fc.property(list, fc.integer({ min: 2, max: 16 }), fc.nat(), (counts, levels, at) => {
      const n = levels + (at % (counts.length - levels + 1));
      if (counts.slice(0, n).every((v) => v === 0)) return;
      const [ours, theirs] = [klDivergence(Float64Array.from(counts), n, levels), divergence(counts, n, levels)];
      assert.ok(Math.abs(ours - theirs) < 1e-9 * Math.max(1, Math.abs(theirs)), `${ours} is not ${theirs}`);
    }),
    { numRuns: 200 },
  );
});

test('kl: the threshold is the one of least divergence', () => {
  const { normal } = sampler(3);
  const h = of(Array.from({ length: 20000 }, normal));
  const { counts, width } = h.magnitudes() as { counts: Float64Array; width: number };
  const coarse = Array.from({ length: 512 }, (_, i) => counts.slice(8 * i, 8 * i + 8).reduce((a, b) => a + b, 0));
  const used = coarse.slice(0, coarse.findLastIndex((v) => v > 0) + 1);
  let [best, least] = [0, Infinity];
  for (let n = 128; n <= used.length; n++) {
    const d = divergence(used, n, 128);
    if (d < least) [best, least] = [n, d];
  }
  assert.is(klThreshold(Float64Array.from(used), 8 * width, 128), best * 8 * width);
});

test('kl: outliers are clipped, a uniform distribution is kept whole', () => {
  const { normal, uniform } = sampler(4);
  const data = Array.from({ length: 200000 }, normal);
  data[7] = 60;
  const clipped = chooseRange(of(data), 'kl', 's8', 0);
  assert.ok(clipped.hi > 2.5 && clipped.hi < 12, `clipped at ${clipped.hi}`);
  const whole = chooseRange(of(Array.from({ length: 200000 }, uniform)), 'kl', 'u8', 0);
  assert.ok(whole.hi > 0.97 && whole.lo === 0, `kept up to ${whole.hi}`);
});

test('percentile: the named share is kept, as sorting says', () => {
  const { laplace } = sampler(5);
  const data = Array.from({ length: 10000 }, () => Math.fround(laplace()));
  const sorted = [...data].sort((a, b) => a - b);
  const { lo, hi } = chooseRange(of(data), 'percentile', 'u8', 99);
  for (const [found, expected] of [
    [lo, sorted[100]],
    [hi, sorted[9899]],
  ] as const)
    assert.ok(Math.abs(found - expected) <= Math.abs(expected) * 2 ** -11, `${found} is not ${expected}`);
  assert.equal(chooseRange(of(data), 'percentile', 'u8', 100), { lo: sorted[0], hi: sorted[9999] });
});

test('mse: no hundredth of the range has a lesser error on the data themselves', () => {
  const { laplace } = sampler(6);
  const data = Array.from({ length: 5000 }, () => Math.fround(laplace()));
  for (const scheme of ['s8', 'u8'] as const) {
    const errorOf = (range: { lo: number; hi: number }): number => {
      const { scales, zeroPoints, min, max } = gridOver(range, scheme);
      const [s, z] = [scales[0], zeroPoints[0]];
      const code = (v: number): number => Math.min(Math.max(Math.round(v / s) + z, min), max);
      return data.reduce((sum, v) => sum + (v - (code(v) - z) * s) ** 2, 0) / data.length;
    };
    const h = of(data);
    const chosen = errorOf(chooseRange(h, 'mse', scheme, 0));
    const all = Array.from({ length: 100 }, (_, i) =>
      errorOf({ lo: (h.min * (i + 1)) / 100, hi: (h.max * (i + 1)) / 100 }),
    );
    assert.ok(chosen <= Math.min(...all) * 1.001);
    assert.ok(chosen < all[99], 'clipping gains on such data');
    const grid = gridOver(chooseRange(h, 'mse', scheme, 0), scheme);
    assert.ok(Math.abs(gridError(h.elements(), grid).noise / chosen - 1) < 0.01);
  }
});

test('aciq: the thresholds of the paper for 8 bits', () => {
  const { normal, laplace } = sampler(7);
  const laplaced = chooseRange(of(Array.from({ length: 400000 }, laplace)), 'aciq', 's8', 0);
  // alpha / b solves 2 e^-x = 2 x / (3 * 4^8): 9.89 in the paper's table
  assert.ok(Math.abs(laplaced.hi - 9.89) < 0.2, `Laplace: ${laplaced.hi}`);
  const data = Array.from({ length: 400000 }, normal);
  const normally = chooseRange(of(data), 'aciq', 's8', 0);
  assert.ok(Math.abs(normally.hi - 3.92) < 0.12, `normal: ${normally.hi}`);
});

test('minmax is the range itself; every range covers 0', () => {
  assert.equal(chooseRange(of([1, 2, 5]), 'minmax', 'u8', 0), { lo: 0, hi: 5 });
  assert.equal(chooseRange(of([-3, -1]), 'minmax', 's8', 0), { lo: -3, hi: 0 });
  for (const algorithm of ['minmax', 'percentile', 'kl', 'mse', 'aciq'] as const)
    for (const data of [[], [0, 0], [3, 3, 3], [-1e-30, 1e30]]) {
      const { lo, hi } = chooseRange(of(data), algorithm, 'u8', 99.99);
      assert.ok(lo <= 0 && hi >= 0 && Number.isFinite(lo + hi), `${algorithm} of ${data}: ${lo}..${hi}`);
    }
});

test('grids cover their range and hold 0 as a code', () => {
  const number = fc.double({ min: 1e-20, max: 1e20, noNaN: true });
  fc.assert(
    fc.property(number, number, (a, b) => {
      for (const scheme of ['s8', 'u8'] as const) {
        const grid = gridOver({ lo: -a, hi: b }, scheme);
        const { lo, hi } = rangeOfGrid(grid);
        const [step] = grid.scales;
        assert.ok(lo <= -a + 0.501 * step && hi >= b - 0.501 * step);
        assert.ok(Number.isInteger(grid.zeroPoints[0]));
      }
    }),
    { numRuns: 100 },
  );
});

test.run();
