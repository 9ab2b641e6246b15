import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Epilogue, KernelDef } from '../../src/codegen/kernel.js';
import { type GemmParams, gemm, packGemm } from '../../src/codegen/kernels/gemm.js';
import {
  WINOGRAD_FACTOR,
  type WinogradParams,
  winograd,
  winogradSumBytes,
} from '../../src/codegen/kernels/winograd.js';
import { transformedInput, type WinogradInputParams, winogradInput } from '../../src/codegen/kernels/winograd-input.js';
import {
  packWinograd,
  transformedBytes,
  transformTaps,
  winogradGroups,
  winogradTiles,
  winogradWeights,
} from '../../src/codegen/kernels/winograd-weights.js';
import { ACTIVATIONS, CODES, placeEpilogue, REALS, REQUANTIZE } from '../support/epilogue-cases.js';
import {
  checkKernel,
  codesFor,
  compileFunction,
  randomCodes,
  randomInts,
  TestMemory,
} from '../support/kernel-memory.js';

interface WinogradCase {
  readonly channels: number;
  readonly columns: number;
  readonly rows: number;
  readonly cols: number;
  readonly seed?: number;
  readonly epilogue?: Epilogue;
  readonly ties?: boolean;
  /** All codes are +-255 and all weights -128 or 127 of equal sign per column: the largest sums. */
  readonly extreme?: boolean;
  /** Elements between the pixels of the output beyond its columns. */
  readonly gap?: number;
  readonly scale?: number;
  /** Of 64 KiB. */
  readonly pages?: number;
}

/** Runs a kernel on the memory itself, once it has agreed with its reference. */
function run<P extends object>(def: KernelDef<P>, p: P, memory: TestMemory, args: readonly number[]): void {
  memory.bytes.set(checkKernel(def, p, memory, args));
}

const alternating = (n: number, seed: number): Int16Array => {
  const next = randomInts(seed);
  return Int16Array.from({ length: n }, () => (next() % 4 === 0 ? -255 : 255));
};

/** The three kernels, each against its reference on all memory; the output against the direct kernel's. */
function check(c: WinogradCase): void {
  const { channels, columns, rows, cols, seed = 1, epilogue = REQUANTIZE, extreme = false } = c;
  const memory = new TestMemory(c.pages ?? 4, seed);
  const [tileRows, tileCols] = [Math.ceil(rows / 2), Math.ceil(cols / 2)];
  const rowStride = (2 * tileCols + 2) * channels;
  const size = (2 * tileRows + 2) * rowStride;
  const codes = extreme ? new Int16Array(size).fill(255) : randomCodes(size, seed);
  if (c.ties) codes.set(alternating(size, seed));
  const input = memory.i16(codes);
  const raw = extreme
    ? Int16Array.from({ length: columns * 9 * channels }, (_, i) => (Math.floor(i / 9 / channels) % 2 ? -128 : 127))
    : randomCodes(columns * 9 * channels, seed + 1).map((v) => v >> 1);
  const weight = (column: number, tap: number, k: number): number => raw[(column * 9 + tap) * channels + k]!;
  const codes16 = { storage: 'i16', channels, columns } as const;
  const packed = packWinograd(codes16, weight);
  const source = memory.space(packed.length, 1);
  new Int8Array(memory.bytes.buffer, source, packed.length).set(packed);
  const u = memory.space(transformedBytes(codes16), 1);
  run(winogradWeights, { storage: 'i16' }, memory, [source, u, winogradTiles(c), winogradGroups(codes16), 0]);
  const v = memory.space(transformedInput('i16', channels, tileRows * tileCols).length, 2);
  const inputParams: WinogradInputParams = {
    storage: 'i16',
    channels,
    tileRows,
    tileCols,
    pixStride: channels,
    rowStride,
  };
  run(winogradInput, inputParams, memory, [input, v]);
  const outPix = columns + (c.gap ?? 0);
  const common = { columns, rows, cols, outPix, outRow: cols * outPix, epilogue };
  const p: WinogradParams = { ...common, channels };
  const m = memory.space(winogradSumBytes(p) / 4, 4);
  const output = memory.space(rows * common.outRow, 4);
  const rest = placeEpilogue(memory, epilogue, { ...p, scale: c.scale ?? 2e-4, ties: c.ties ?? false, seed });
  const args = [v, m, u, output, ...rest];
  const scaled = (): number[] => {
    // arguments for sums that are four times as large
    const n = Math.ceil(columns / 16) * 16;
    const [bias, scale] = epilogue.bias === 'none' ? [0, rest[0]!] : [rest[0]!, rest[1]!];
    const scales = memory.f32(new Float32Array(memory.bytes.buffer, scale, n).map((s) => s / WINOGRAD_FACTOR));
    if (epilogue.bias !== 'i32')
      return epilogue.bias === 'none' ? [scales, ...rest.slice(1)] : [bias, scales, ...rest.slice(2)];
    const biases = memory.space(n, 4);
    new Int32Array(memory.bytes.buffer, biases, n).set(
      new Int32Array(memory.bytes.buffer, bias, n).map((b) => b * WINOGRAD_FACTOR),
    );
    return [biases, scales, ...rest.slice(2)];
  };
  const expected = direct(memory, { ...common, rowStride, channels }, weight, [input, output, ...rest]);
  const actual = checkKernel(winograd, p, memory, [...args.slice(0, 4), ...scaled()], {
    start: m,
    bytes: winogradSumBytes(p),
  });
  const bytes = (epilogue.output.storage === 'f32' ? 4 : 2) * rows * common.outRow;
  assert.is(Buffer.compare(actual.subarray(output, output + bytes), expected.subarray(output, output + bytes)), 0);
}

/** The memory after the direct kernel. */
function direct(
  memory: TestMemory,
  shape: Omit<WinogradParams, 'channels'> & { channels: number; rowStride: number },
  weight: (column: number, tap: number, k: number) => number,
  [input, output, ...rest]: number[],
): Uint8Array {
  const { channels, rowStride, ...common } = shape;
  const taps = { ySegments: 3, xSegments: 1, length: 3 * channels, yStride: rowStride, xStride: 0 };
  const plain = { ...common, isa: 'simd' as const, storage: 'i16' as const, pixStride: channels, rowStride, taps };
  const p: GemmParams = { ...plain, tile: { mr: 4, nr: 8 } };
  const packed = packGemm(p, (n, s, k) => weight(n, 3 * s + Math.floor(k / channels), k % channels));
  const pages = memory.bytes.length / 65536;
  const larger = new TestMemory(2 * pages, 1);
  larger.bytes.set(memory.bytes);
  const weights = memory.bytes.length;
  new Int16Array(larger.bytes.buffer, weights, packed.length).set(packed);
  const args = [input!, output!, weights, ...rest];
  return compileFunction(gemm.signature(p), (f) => gemm.emit(f, p), 2 * pages)(larger.bytes, args);
}

test('input stored in one byte is transformed alike', () => {
  for (const [channels, tileRows, tileCols] of [
    [16, 2, 3],
    [21, 1, 4],
    [40, 3, 1],
  ] as const) {
    const memory = new TestMemory(2, channels);
    const rowStride = (2 * tileCols + 2) * channels;
    const size = (2 * tileRows + 2) * rowStride;
    const codes = codesFor('i8', size, 3);
    const narrow = memory.space(size + 64, 1);
    new Int8Array(memory.bytes.buffer, narrow, size).set(codes);
    const wide = memory.i16(codes);
    const length = transformedInput('i16', channels, tileRows * tileCols).length;
    const [v8, v16] = [memory.space(length, 2), memory.space(length, 2)];
    const p = { channels, tileRows, tileCols, pixStride: channels, rowStride };
    run(winogradInput, { ...p, storage: 'i8' }, memory, [narrow, v8]);
    run(winogradInput, { ...p, storage: 'i16' }, memory, [wide, v16]);
    const { tile, element } = transformedInput('i16', channels, tileRows * tileCols);
    const view = new Int16Array(memory.bytes.buffer);
    for (let e = 0; e < 16; e++)
      for (let t = 0; t < tileRows * tileCols; t++)
        for (let c = 0; c < channels; c++) {
          const at = e * element + t * tile + c;
          assert.is(view[v8 / 2 + at], view[v16 / 2 + at]);
        }
  }
});

test('transformed taps give four times the convolution', () => {
  const taps = [3, -7, 11, 127, -128, 5, 9, 64, -1];
  const d = Array.from({ length: 16 }, (_, i) => ((i * 37) % 511) - 255);
  const u = transformTaps(taps);
  const b = [
    [1, 0, -1, 0],
    [0, 1, 1, 0],
    [0, -1, 1, 0],
    [0, 1, 0, -1],
  ];
  const a = [
    [1, 1, 1, 0],
    [0, 1, -1, -1],
  ];
  const v = (i: number, j: number): number => {
    let sum = 0;
    for (let y = 0; y < 4; y++) for (let x = 0; x < 4; x++) sum += b[i]![y]! * d[4 * y + x]! * b[j]![x]!;
    return sum;
  };
  for (let y = 0; y < 2; y++)
    for (let x = 0; x < 2; x++) {
      let sum = 0;
      for (let i = 0; i < 4; i++) for (let j = 0; j < 4; j++) sum += a[y]![i]! * u[4 * i + j]! * v(i, j) * a[x]![j]!;
      let convolved = 0;
      taps.forEach((tap, t) => {
        convolved += tap * d[4 * (y + Math.floor(t / 3)) + x + (t % 3)]!;
      });
      assert.is(sum, WINOGRAD_FACTOR * convolved);
    }
});

test('every tail of channels, columns, rows and pixels', () => {
  for (const channels of [1, 2, 3, 7, 8, 9, 16, 21]) check({ channels, columns: 8, rows: 2, cols: 4, seed: channels });
  for (const columns of [1, 3, 4, 5, 8, 11, 12, 16, 23])
    check({ channels: 8, columns, rows: 4, cols: 2, seed: columns });
  for (const [rows, cols] of [
    [1, 1],
    [1, 2],
    [2, 1],
    [3, 5],
    [5, 4],
    [4, 7],
    [7, 7],
  ] as const)
    check({ channels: 8, columns: 9, rows, cols, gap: 3 });
});

test('the largest sums, and factors that make ties of them', () => {
  for (const epilogue of [REQUANTIZE, { ...REQUANTIZE, output: REALS }] as const) {
    // 4 * 1822 * 9 * 255 * 128 is just below 2^31
    check({ channels: 1822, columns: 4, rows: 2, cols: 2, epilogue, extreme: true, scale: 2 ** -23, pages: 16 });
    check({ channels: 32, columns: 8, rows: 4, cols: 4, epilogue, ties: true, scale: 2 ** -14 });
  }
});

test('a factor divided by four and a sum times four round alike', () => {
  const next = randomInts(5);
  for (let i = 0; i < 200000; i++) {
    const acc = (next() | 0) >> (2 + (next() % 24));
    const m = Math.fround((next() + 1) * 2 ** -(20 + (next() % 40)));
    const f32 = Math.fround;
    assert.is(f32(f32(4 * acc) * f32(m / 4)), f32(f32(acc) * m));
  }
});

test('residuals, biases, activations and roundings', () => {
  const shape = { channels: 16, columns: 12, rows: 5, cols: 6, ties: true };
  for (const storage of ['i16', 'f32'] as const)
    for (const output of [CODES, REALS])
      check({ ...shape, epilogue: { ...REQUANTIZE, residual: { storage, pix: 13, row: 90 }, output } });
  for (const bias of ['none', 'f32'] as const) check({ ...shape, epilogue: { ...REQUANTIZE, bias } });
  for (const activation of ACTIVATIONS)
    check({ ...shape, rows: 3, cols: 3, epilogue: { ...REQUANTIZE, activation }, scale: 2 ** -16 });
  for (const proven of [true, false])
    check({ ...shape, epilogue: { ...REQUANTIZE, output: { ...CODES, rounding: 'away', proven } } });
});

test('codes shifted into a byte', () => {
  const shape = { storage: 'i16', channels: 5, columns: 9 } as const;
  const packed = packWinograd(shape, (n, tap, k) => ((n * 31 + tap * 7 + k * 13) % 256) - 20);
  const memory = new TestMemory(1, 3);
  const source = memory.space(packed.length, 1);
  new Int8Array(memory.bytes.buffer, source, packed.length).set(packed.map((v) => v - 108));
  const u = memory.space(transformedBytes(shape), 1);
  run(winogradWeights, { storage: 'i16' }, memory, [source, u, winogradTiles(shape), winogradGroups(shape), -108]);
  const of = (n: number, k: number): number[] =>
    transformTaps(Array.from({ length: 9 }, (_, tap) => ((n * 31 + tap * 7 + k * 13) % 256) - 20));
  const groups = winogradGroups(shape);
  const at = (e: number, n: number, k: number): number =>
    (((n >> 3) * 16 + e) * groups + 2 * (k >> 1) + ((n >> 2) & 1)) * 8 + 2 * (n & 3) + (k & 1);
  const values = new Int16Array(memory.bytes.buffer, u, transformedBytes(shape) / 2);
  for (let n = 0; n < 9; n++)
    for (let k = 0; k < 5; k++)
      assert.equal(
        of(n, k).map((_, e) => values[at(e, n, k)]),
        of(n, k),
      );
  assert.is(values[at(3, 8, 5)], 0);
});

const arbitrary = fc.record({
  channels: fc.integer({ min: 1, max: 24 }),
  columns: fc.integer({ min: 1, max: 20 }),
  rows: fc.integer({ min: 1, max: 8 }),
  cols: fc.integer({ min: 1, max: 8 }),
  seed: fc.nat(9999),
  ties: fc.boolean(),
  extreme: fc.boolean(),
  gap: fc.integer({ min: 0, max: 3 }),
  bias: fc.constantFrom('none', 'i32', 'f32'),
  residual: fc.constantFrom(null, 'i16', 'f32'),
  rounding: fc.constantFrom('even', 'away'),
  proven: fc.boolean(),
});

test('random shapes agree with the direct kernel', () => {
  fc.assert(
    fc.property(arbitrary, ({ bias, residual, rounding, proven, ...c }) => {
      const epilogue: Epilogue = {
        sum: 'i32',
        bias,
        residual: residual && { storage: residual, pix: c.columns, row: c.cols * c.columns },
        activation: null,
        output: { storage: 'i16', rounding, proven },
      };
      check({ ...c, epilogue, scale: c.extreme ? 2 ** -14 : 2e-4 });
    }),
    { numRuns: 100 },
  );
});

test.run();
