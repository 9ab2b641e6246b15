/** Pixels to tensors: every byte of the memory as the reference leaves it, and the resize against a float bilinear. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { STORAGE_BYTES } from '../../src/codegen/kernel.js';
import { type ImageInputParams, imageInput, locatePixel, resizeImage } from '../../src/codegen/kernels/image-input.js';
import { checkKernel, randomInts, TestMemory } from '../support/kernel-memory.js';

type Case = Pick<ImageInputParams, 'width' | 'height' | 'channels' | 'order' | 'storage'> & {
  readonly size: readonly [number, number];
  readonly planar?: boolean;
  readonly gap?: number;
  readonly implied?: boolean;
};

function check({ size: [w, h], planar, gap = 0, implied, ...rest }: Case, seed: number): void {
  const { width, height, channels, storage } = rest;
  const memory = new TestMemory(8, seed);
  const next = randomInts(seed);
  const pixels = memory.i8(Array.from({ length: 4 * w * h }, () => (next() % 3 === 0 ? 255 : next() & 255)));
  const size = memory.space(2, 4);
  new Int32Array(memory.bytes.buffer, size, 2).set(implied ? [0, 0] : [w, h]);
  const tables = memory.space(256 * channels, STORAGE_BYTES[storage]);
  const columns = memory.space(width, 8);
  const strides = planar
    ? { channelStride: width * height + gap, rowStride: width, pixStride: 1 }
    : { channelStride: 1, rowStride: (width + gap) * channels, pixStride: channels };
  const target = memory.space((width + gap) * (height + 1) * channels, STORAGE_BYTES[storage]);
  const params: ImageInputParams = { ...rest, ...strides, largest: [w, h] };
  checkKernel(imageInput, params, memory, [pixels, size, tables, columns, target]);
}

test('all storages, layouts, orders and sizes', () => {
  const base = { width: 7, height: 5, channels: 3, order: 'rgb', storage: 'i16', size: [20, 11] } as const;
  const cases: Case[] = [
    base,
    { ...base, storage: 'i8', gap: 2 },
    { ...base, storage: 'f32', planar: true, gap: 3 },
    { ...base, order: 'bgr' },
    { ...base, channels: 1 },
    { ...base, implied: true },
    { ...base, size: [1, 1] },
    { ...base, size: [1, 9] },
    { ...base, size: [9, 1] },
    { ...base, size: [7, 5] },
    { ...base, size: [3, 2] },
    { ...base, width: 1, height: 1 },
  ];
  for (const [seed, c] of cases.entries()) check(c, seed + 1);
});

test('random sizes', () => {
  const side = fc.integer({ min: 1, max: 40 });
  fc.assert(
    fc.property(side, side, side, side, (width, height, w, h) =>
      check({ width, height, channels: 3, order: 'rgb', storage: 'i16', size: [w, h] }, 64 * width + h),
    ),
    { numRuns: 40 },
  );
});

test('the size of the output leaves a picture as it is', () => {
  const next = randomInts(5);
  const rgba = Uint8Array.from({ length: 4 * 9 * 6 }, () => next() & 255);
  assert.equal(
    resizeImage(rgba, 9, 6, [9, 6]),
    rgba.filter((_, i) => i % 4 !== 3),
  );
});

test('positions are those of half-pixel centres, to 1/4096', () => {
  const side = fc.integer({ min: 1, max: 3000 });
  fc.assert(
    fc.property(side, side, fc.nat(), (n, m, index) => {
      const i = index % n;
      const exact = Math.min(Math.max(((i + 0.5) * m) / n - 0.5, 0), m - 1);
      const { low, part } = locatePixel(i, n, m);
      assert.ok(low >= 0 && low < m && (part === 0 || low + 1 < m), `${low} of ${m}`);
      assert.ok(Math.abs(low + part / 2048 - exact) <= 1 / 4096 + 1e-9, `${i}/${n} of ${m}: ${low} + ${part}/2048`);
    }),
  );
});

test('the resize is a bilinear one to within a level', () => {
  const next = randomInts(11);
  const [w, h, outW, outH] = [31, 17, 12, 23];
  const rgba = Uint8Array.from({ length: 4 * w * h }, () => next() & 255);
  const actual = resizeImage(rgba, w, h, [outW, outH]);
  const place = (i: number, n: number, m: number) => {
    const at = Math.min(Math.max(((i + 0.5) * m) / n - 0.5, 0), m - 1);
    return { low: Math.floor(at), high: Math.min(Math.floor(at) + 1, m - 1), part: at - Math.floor(at) };
  };
  for (let y = 0; y < outH; y++)
    for (let x = 0; x < outW; x++)
      for (let c = 0; c < 3; c++) {
        const [row, column] = [place(y, outH, h), place(x, outW, w)];
        const pixel = (r: number, k: number): number => rgba[4 * (r * w + k) + c]!;
        const mix = (r: number): number =>
          pixel(r, column.low) * (1 - column.part) + pixel(r, column.high) * column.part;
        const exact = mix(row.low) * (1 - row.part) + mix(row.high) * row.part;
        // half a level for the rounding, the rest for weights of 11 bits
        assert.ok(Math.abs(actual[3 * (y * outW + x) + c]! - exact) <= 0.5 + 255 / 2048, `${x}, ${y}, ${c}`);
      }
});

test.run();
