/** Histograms on fixed bins: the same bits from any order and split, and exact sums. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Histogram } from '../../src/quant/histogram.js';

const of = (...parts: readonly ArrayLike<number>[]): Histogram => {
  const h = new Histogram();
  for (const part of parts) h.add(Float32Array.from(part));
  return h;
};

const text = (h: Histogram): string => JSON.stringify(h.toJson());
const floats = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { maxLength: 200 });

test('any order, and any split that is merged in any order, gives the same bits', () => {
  fc.assert(
    fc.property(floats, fc.array(fc.nat(3), { minLength: 200, maxLength: 200 }), fc.nat(), (data, shard, turn) => {
      const whole = text(of(data));
      const turned = data.map((_, i) => data[(i + turn) % data.length] as number).reverse();
      assert.is(text(of(turned)), whole);
      const parts = [0, 1, 2, 3].map((s) => of(data.filter((_, i) => shard[i] === s)));
      const sum = new Histogram();
      for (const s of [2, 0, 3, 1]) sum.merge(parts[s] as Histogram);
      assert.is(text(sum), whole);
      assert.is(sum.count, data.length);
    }),
    { numRuns: 60 },
  );
});

test('files hold the same histogram', () => {
  fc.assert(
    fc.property(floats, (data) => {
      const h = of(data);
      const read = Histogram.fromJson(JSON.parse(text(h)));
      assert.is(text(read), text(h));
      assert.equal([read.min, read.max, read.count, read.zeros], [h.min, h.max, h.count, h.zeros]);
    }),
    { numRuns: 40 },
  );
  for (const bins of [
    [-1, 2],
    [3, 0],
    [3, 1.5],
    [2 ** 20, 1],
  ])
    assert.throws(() => Histogram.fromJson({ range: [0, 1], bins }), /damaged/);
});

test('range, zeros and elements that are not finite', () => {
  const h = of([0, -0, 1.5, -2.25, 1e-40]);
  assert.equal([h.min, h.max, h.count, h.zeros, h.notFinite], [-2.25, 1.5, 5, 3, 0]);
  assert.ok(Object.is(of([-0]).min, 0));
  assert.is(of([Number.NaN, 1, Number.POSITIVE_INFINITY]).notFinite, 2);
  assert.equal([of().min, of().max, of().count], [0, 0, 0]);
});

test('elements stand in bins of 2^-12 of their magnitude, in order', () => {
  fc.assert(
    fc.property(floats, (data) => {
      const normal = data.map(Math.fround).filter((v) => Math.abs(v) >= 2 ** -126);
      const { values, counts } = of(normal).elements();
      assert.is(
        counts.reduce((a, b) => a + b, 0),
        normal.length,
      );
      for (let i = 1; i < values.length; i++) assert.ok((values[i - 1] as number) < (values[i] as number));
      for (const v of normal) assert.ok(values.some((m) => Math.abs(m - v) <= Math.abs(v) * 2 ** -12));
    }),
    { numRuns: 40 },
  );
});

test('magnitudes are the counts of equal bins, exactly', () => {
  const data = Array.from({ length: 3000 }, (_, i) => Math.fround(Math.sin(i) * 2 ** ((i % 9) - 4)));
  const { width, counts } = of(data).magnitudes() as { width: number; counts: Float64Array };
  const expected = new Float64Array(counts.length);
  for (const v of data) if (v !== 0) expected[Math.floor(Math.abs(v) / width)]++;
  assert.equal(counts, expected);
  assert.ok(counts.length > 2048 && counts.length <= 4096);
  assert.ok((counts.at(-1) as number) > 0);
  assert.is(of([0, 0]).magnitudes(), null);
});

test.run();
