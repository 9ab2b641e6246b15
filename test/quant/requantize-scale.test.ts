/** The factor of sums: exact decisions at the boundaries between codes, ties as the mode says. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { perTensor, type Quant, thresholdGrid } from '../../src/ir/type.js';
import { requantize, scaleFactor } from '../../src/quant/requantize.js';
import {
  requantizeAffine,
  requantizeScale,
  type SumScaling,
  sumScaling,
  TIE_WIDTH,
} from '../../src/quant/requantize-scale.js';

/** How many sums next to a boundary get a code that exact arithmetic does not give, ties left out. */
function wrong(m: number, sx: number, sw: number, q: Quant, offset = 0): number {
  const [zero, scale] = [q.zeroPoints[0], q.scales[0]];
  const [lo, hi] = [q.min - zero, q.max - zero];
  let count = 0;
  for (let code = lo; code < hi; code++) {
    const near = Math.floor(((code + 0.5) * scale - offset) / (sx * sw));
    for (const sum of [near - 1, near, near + 1, near + 2]) {
      const exact = (sum * sx * sw + offset) / scale;
      // The margin covers the float64 rounding of what lies on the edge.
      if (Math.abs(exact - Math.floor(exact) - 0.5) <= TIE_WIDTH + 1e-9) continue;
      const expected = Math.min(Math.max(Math.round(exact), lo), hi);
      if (requantize(sum, m, q.rounding, lo, hi) !== expected) count++;
    }
  }
  return count;
}

const scales = fc.double({ min: 0.001, max: 0.2, noNaN: true }).map(Math.fround);
/** What the stored scale of a bias adds to a sum, in sums: at most 2^-22 of the bias. */
const offsets = fc.double({ min: -0.05, max: 0.05, noNaN: true });
const grids = fc
  .tuple(scales, fc.integer({ min: 0, max: 255 }), fc.constantFrom('even' as const, 'away' as const))
  .map(([scale, zero, rounding]) => perTensor('u8', scale, zero, rounding));

/** Scales whose sums lie at least `step` quanta apart. */
const cases = (step: number) =>
  fc.tuple(scales, scales, grids, offsets).filter(([sx, sw, q]) => (sx * sw) / q.scales[0] >= step);

test('where sums lie well apart, every sum off the ties rounds as exact arithmetic does', () => {
  fc.assert(
    fc.property(cases(0.05), ([sx, sw, q]) => {
      assert.is(wrong(requantizeScale(sx, sw, q), sx, sw, q), 0);
    }),
    { numRuns: 1000 },
  );
});

test('it is never worse than the nearest factor, with and without an offset', () => {
  let better = 0;
  fc.assert(
    fc.property(cases(0.001), ([sx, sw, q, offset]) => {
      const nearest = scaleFactor(sx, sw, q.scales[0]);
      for (const b of [0, offset * sx * sw]) {
        const [ours, theirs] = [requantizeScale(sx, sw, q, b), nearest].map((m) => wrong(m, sx, sw, q, b));
        assert.ok(ours <= theirs, `${ours} wrong, ${theirs} with the nearest factor`);
        if (ours < theirs) better++;
      }
    }),
    { numRuns: 1500 },
  );
  assert.ok(better > 0, 'no case shows a difference');
});

test('a sum just beside a tie counts as the tie', () => {
  // 11304 * s_x * s_w / s_y = 127.4999954: the boundary between 127 and 128 lies 4.6e-6 quanta above.
  const [sx, sw] = [0.0078125, Math.fround((127.4999954 / 11304) * (0.0235 / 0.0078125))];
  const q = perTensor('u8', 0.0235, 0);
  const exact = (11304 * sx * sw) / q.scales[0];
  assert.ok(Math.abs(exact - 127.5) < TIE_WIDTH);
  assert.is(requantize(11304, requantizeScale(sx, sw, q), 'even', 0, 255), 128);
  const away = perTensor('u8', 0.0235, 0, 'away');
  assert.is(requantize(11304, requantizeScale(sx, sw, away), 'away', 0, 255), 128);
});

test('powers of two keep their exact factor', () => {
  assert.is(requantizeScale(0.5, 0.25, perTensor('i8', 0.125)), 1);
  assert.is(requantizeScale(0.5, 0.0625, perTensor('i8', 1, -3)), 1 / 32);
});

/** How many sums next to a boundary get a code that exact arithmetic does not give, with a bias in real units. */
function wrongAffine({ scale, bias }: SumScaling, sx: number, sw: number, q: Quant, real: number): number {
  const unit = q.scales[0] as number;
  let count = 0;
  for (let code = -127; code < 127; code++) {
    const near = Math.floor(((code + 0.5) * unit - real) / (sx * sw));
    for (const sum of [near - 1, near, near + 1, near + 2]) {
      const exact = (sum * sx * sw + real) / unit;
      if (Math.abs(exact - Math.floor(exact) - 0.5) <= 1e-8) continue;
      const expected = Math.min(Math.max(Math.round(exact), -127), 127);
      if (requantize(sum, scale, q.rounding, -127, 127, { bias }) !== expected) count++;
    }
  }
  return count;
}

test('with a float bias, factor and addend decide as exact arithmetic does nearly everywhere, and never worse', () => {
  let [ours, theirs, perfect, runs] = [0, 0, 0, 0];
  const biases = fc.double({ min: -50, max: 50, noNaN: true });
  const units = fc.double({ min: 0.0005, max: 0.5, noNaN: true });
  fc.assert(
    fc.property(scales, scales, units, biases, (sx, sw, step, quanta) => {
      const q = thresholdGrid([Math.fround(((sx * sw) / step) * 127)], null, 'away');
      const unit = q.scales[0] as number;
      const real = Math.fround(quanta * unit);
      const nearest = { scale: scaleFactor(sx, sw, unit), bias: Math.fround(real / unit) };
      const [own, other] = [requantizeAffine(sx, sw, q, real), nearest].map((m) => wrongAffine(m, sx, sw, q, real)) as [
        number,
        number,
      ];
      assert.ok(own <= other, `${own} wrong, ${other} with the nearest numbers`);
      ours += own;
      theirs += other;
      perfect += own === 0 ? 1 : 0;
      runs++;
    }),
    { numRuns: 600, seed: 4 },
  );
  assert.ok(theirs > 0 && ours < theirs / 4, `${ours} wrong in all, ${theirs} with the nearest numbers`);
  assert.ok(perfect > 0.95 * runs, `${perfect} of ${runs} without a miss`);
});

test('without an output grid, and with a residual, factor and addend are the nearest float32', () => {
  const q = perTensor('u8', 0.03, 7);
  const scale = Math.fround((0.1 * 0.2) / (q.scales[0] as number));
  assert.equal(sumScaling(0.1, 0.2, { output: null, residual: false, bias: 0.3 }), {
    scale: Math.fround(0.1 * 0.2),
    bias: Math.fround(0.3),
  });
  assert.equal(sumScaling(0.1, 0.2, { output: q, residual: true }), { scale, bias: 0 });
  assert.is(sumScaling(0.1, 0.2, { output: q, residual: false }).scale, requantizeScale(0.1, 0.2, q));
});

test.run();
