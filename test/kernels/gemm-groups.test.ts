import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { extraSteps } from '../../src/codegen/kernels/extra-steps.js';
import { type GemmParams, gemm, packGemm } from '../../src/codegen/kernels/gemm.js';
import { extraTableBytes, storedExtras, takeExtraSteps } from '../../src/codegen/kernels/gemm-groups.js';
import { stepsPerSegment } from '../../src/codegen/kernels/gemm-layout.js';
import { chooseGroup } from '../../src/codegen/select.js';
import { placeEpilogue, REALS, REQUANTIZE } from '../support/epilogue-cases.js';
import { checkKernel, randomInts, TestMemory } from '../support/kernel-memory.js';

interface Shape {
  readonly pixels: number;
  readonly columns: number;
  readonly ySegments: number;
  readonly xSegments: number;
  readonly length: number;
  readonly nr: 4 | 8;
  readonly group: number;
}

/** A convolution of one row of pixels, whose segments overlap as those of dilated windows do. */
function product(s: Shape): GemmParams {
  const { pixels, length } = s;
  const row = (pixels + s.xSegments) * length;
  return {
    storage: 'i8',
    isa: 'relaxed',
    columns: s.columns,
    rows: 1,
    cols: pixels,
    taps: { ySegments: s.ySegments, xSegments: s.xSegments, length, yStride: row, xStride: length },
    pixStride: length,
    rowStride: row,
    outPix: s.columns,
    outRow: pixels * s.columns,
    tile: { mr: 4, nr: s.nr, group: s.group },
    epilogue: { ...REQUANTIZE, bias: 'none', output: REALS },
  };
}

/** Weights from -128 to 127; the greater `size`, the more often at an end of the range. */
function weightsOf(count: number, size: number, seed: number): Int8Array {
  const next = randomInts(seed);
  return Int8Array.from({ length: count }, () =>
    Math.max(-128, Math.min(127, Math.round(((next() / 2 ** 32) * 2 - 1) * size))),
  );
}

/** Sums by definition against the kernel's, with activations at both ends of 0..127. */
function check(s: Shape, size: number, seed: number): number {
  const p = product(s);
  const { taps } = p;
  const segments = taps.ySegments * taps.xSegments;
  const raw = weightsOf(p.columns * segments * taps.length, size, seed);
  const weight = (n: number, segment: number, k: number): number =>
    raw[(n * segments + segment) * taps.length + k] as number;
  const packed = packGemm(p, weight) as Int8Array;
  const tiles = takeExtraSteps(p, packed, s.group);
  const memory = new TestMemory(2, seed);
  const bytes = extraTableBytes(tiles);
  const places = { perSegment: stepsPerSegment(p), xSegments: taps.xSegments };
  const prepare = [memory.i16(storedExtras(tiles)), memory.space(bytes, 1), tiles.length];
  memory.bytes.set(checkKernel(extraSteps, places, memory, prepare));
  const next = randomInts(seed + 1);
  const input = Int8Array.from({ length: taps.ySegments * p.rowStride + 64 }, () => (next() % 3 ? 127 : next() % 128));
  const output = memory.space(p.cols * p.columns, 4);
  const args = [memory.i8(input), output, memory.i8(packed), prepare[1] as number];
  const ends = [memory.f32(new Float32Array(p.columns + 8).fill(1))];
  const actual = new Float32Array(checkKernel(gemm, p, memory, [...args, ...ends]).buffer, output, p.cols * p.columns);
  for (let x = 0; x < p.cols; x++)
    for (let n = 0; n < p.columns; n++) {
      let sum = 0;
      for (let y = 0; y < taps.ySegments; y++)
        for (let i = 0; i < taps.xSegments * taps.length; i++)
          sum +=
            (input[y * taps.yStride + x * p.pixStride + i] as number) *
            weight(n, y * taps.xSegments + Math.floor(i / taps.length), i % taps.length);
      assert.is(actual[x * p.columns + n], Math.fround(sum));
    }
  return tiles.reduce((sum, { length }) => sum + length, 0);
}

test('grouped sums are exact for weights of every size', () => {
  fc.assert(
    fc.property(
      fc.record({
        pixels: fc.integer({ min: 1, max: 9 }),
        columns: fc.integer({ min: 1, max: 20 }),
        ySegments: fc.integer({ min: 1, max: 3 }),
        xSegments: fc.integer({ min: 1, max: 2 }),
        length: fc.integer({ min: 1, max: 40 }),
        nr: fc.constantFrom(4 as const, 8 as const),
        group: fc.constantFrom(2, 3, 4),
      }),
      fc.constantFrom(20, 90, 300, 100_000),
      fc.nat(),
      (shape, size, seed) => {
        check(shape, size, seed);
      },
    ),
    { numRuns: 40, seed: 3 },
  );
});

const LAYER: Shape = { pixels: 5, columns: 16, ySegments: 1, xSegments: 1, length: 64, nr: 8, group: 4 };

test('small weights need no extra steps, great ones do', () => {
  assert.is(check(LAYER, 20, 1), 0);
  assert.ok(check(LAYER, 110, 2) > 0);
});

test('what is left of a group fits int16 in every lane, and nothing is lost', () => {
  const p = product(LAYER);
  const whole = packGemm(p, (n, _, k) => weightsOf(1, 127, n * 64 + k + 1)[0] as number) as Int8Array;
  const left = whole.slice();
  const tiles = takeExtraSteps(p, left, 4);
  const again = left.slice();
  assert.equal(takeExtraSteps(p, again, 4).flat(), []);
  const sum = left.slice();
  tiles.forEach((extras, tile) => {
    for (const { step, weights } of extras)
      weights.forEach((w, i) => {
        const at = tile * 64 * 8 + step * 32 + i;
        assert.ok(w === 0 || sum[at] === 0, 'a weight is in one place');
        sum[at] = (sum[at] as number) + w;
      });
  });
  assert.equal(sum, whole);
});

test('groups are chosen by what they save: none for great weights, longer ones for small weights', () => {
  const groupFor = (size: number): number | undefined => {
    const p: GemmParams = { ...product({ ...LAYER, pixels: 49, length: 256 }), tile: { mr: 4, nr: 8 } };
    const weights = weightsOf(16 * 256, size, 5);
    return chooseGroup(p, packGemm(p, (n, _, k) => weights[n * 256 + k] as number) as Int8Array)?.group;
  };
  assert.is(groupFor(20), 4);
  assert.is(groupFor(75), 2);
  assert.is(groupFor(100_000), undefined);
});

test('an epilogue behind extra steps', () => {
  const p: GemmParams = { ...product(LAYER), epilogue: REQUANTIZE };
  const packed = packGemm(p, (n, _, k) => weightsOf(1, 200, n * 64 + k + 9)[0] as number) as Int8Array;
  const tiles = takeExtraSteps(p, packed, 4);
  const memory = new TestMemory(1, 7);
  const places = { perSegment: stepsPerSegment(p), xSegments: 1 };
  const prepare = [memory.i16(storedExtras(tiles)), memory.space(extraTableBytes(tiles), 1), tiles.length];
  memory.bytes.set(checkKernel(extraSteps, places, memory, prepare));
  const input = memory.i8(Int8Array.from({ length: 2 * p.rowStride }, (_, i) => (i * 37) % 128));
  const output = memory.space(5 * 16, 2);
  const args = [input, output, memory.i8(packed), prepare[1] as number];
  checkKernel(gemm, p, memory, [
    ...args,
    ...placeEpilogue(memory, p.epilogue, { ...p, scale: 1e-3, ties: false, seed: 4 }),
  ]);
});

test('weights that were taken out are cleared where they stand', () => {
  for (const columns of [16, 21, 3])
    for (const segments of [1, 3]) {
      const p = product({ ...LAYER, columns, ySegments: segments, length: 20 });
      const weights = weightsOf(columns * segments * 20, 150, columns);
      const whole = packGemm(p, (n, s, k) => weights[(n * segments + s) * 20 + k] as number) as Int8Array;
      const left = whole.slice();
      const tiles = takeExtraSteps(p, left, 4);
      const memory = new TestMemory(1, 5);
      const steps = stepsPerSegment(p) * segments;
      const clears = { columns: Math.ceil(columns / 4) * 4, nr: 8, steps };
      const args = [
        memory.i16(storedExtras(tiles)),
        memory.space(extraTableBytes(tiles), 1),
        tiles.length,
        memory.i8(whole),
      ];
      const after = checkKernel(extraSteps, { perSegment: stepsPerSegment(p), xSegments: 1, clears }, memory, args);
      assert.equal(new Int8Array(after.buffer, args[3], left.length), left);
    }
});

test.run();
