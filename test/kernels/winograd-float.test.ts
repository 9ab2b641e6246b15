/** Winograd kernels of reals: each equals its reference bit by bit, all three are the convolution within rounding. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Epilogue, KernelDef } from '../../src/codegen/kernel.js';
import { epilogueReference } from '../../src/codegen/kernels/epilogue.js';
import { type WinogradParams, winograd, winogradSumBytes } from '../../src/codegen/kernels/winograd.js';
import { transformedInput, winogradInput } from '../../src/codegen/kernels/winograd-input.js';
import {
  packWinograd,
  transformedBytes,
  winogradGroups,
  winogradTiles,
  winogradWeights,
} from '../../src/codegen/kernels/winograd-weights.js';
import { ACTIVATIONS, FLOAT, placeEpilogue } from '../support/epilogue-cases.js';
import { checkKernel, randomFloats, TestMemory } from '../support/kernel-memory.js';

/** Of the greatest magnitude that the products of a result can sum to. */
const TOLERANCE = 4e-7;

interface Case {
  readonly channels: number;
  readonly columns: number;
  readonly rows: number;
  readonly cols: number;
  readonly seed?: number;
  readonly epilogue?: Epilogue;
  /** Elements between the pixels of the output beyond its columns. */
  readonly gap?: number;
}

function run<P extends object>(def: KernelDef<P>, p: P, memory: TestMemory, args: readonly number[]): void {
  memory.bytes.set(checkKernel(def, p, memory, args));
}

/** The convolution in float64 and the same epilogue; the sums of magnitudes too. */
function convolve(c: Case, input: Float32Array, weights: Float32Array, rowStride: number) {
  const sums: { y: number; x: number; column: number; sum: number; magnitude: number }[] = [];
  for (let y = 0; y < c.rows; y++)
    for (let x = 0; x < c.cols; x++)
      for (let column = 0; column < c.columns; column++) {
        let [sum, magnitude] = [0, 0];
        for (let tap = 0; tap < 9; tap++)
          for (let k = 0; k < c.channels; k++) {
            const at = (y + Math.floor(tap / 3)) * rowStride + (x + (tap % 3)) * c.channels + k;
            const product = input[at]! * weights[(column * 9 + tap) * c.channels + k]!;
            sum += product;
            magnitude += Math.abs(product);
          }
        sums.push({ y, x, column, sum, magnitude });
      }
  return sums;
}

function check(c: Case): void {
  const { channels, columns, rows, cols, seed = 1, epilogue = FLOAT } = c;
  const memory = new TestMemory(4, seed);
  const [tileRows, tileCols] = [Math.ceil(rows / 2), Math.ceil(cols / 2)];
  const rowStride = (2 * tileCols + 2) * channels;
  const input = randomFloats((2 * tileRows + 2) * rowStride, seed);
  const from = memory.f32(input);
  const weights = randomFloats(columns * 9 * channels, seed + 1, 0.5);
  const shape = { storage: 'f32', channels, columns } as const;
  const source = memory.f32(packWinograd(shape, (n, tap, k) => weights[(n * 9 + tap) * channels + k]!));
  const u = memory.space(transformedBytes(shape), 1);
  run(winogradWeights, { storage: 'f32' }, memory, [source, u, winogradTiles(shape), winogradGroups(shape)]);
  const v = memory.space(transformedInput('f32', channels, tileRows * tileCols).length, 4);
  const windows = { storage: 'f32', channels, tileRows, tileCols, pixStride: channels, rowStride } as const;
  run(winogradInput, windows, memory, [from, v]);
  const outPix = columns + (c.gap ?? 0);
  const p: WinogradParams = { channels, columns, rows, cols, outPix, outRow: cols * outPix, epilogue };
  const m = memory.space(winogradSumBytes(p) / 4, 4);
  const output = memory.space(rows * p.outRow, 4);
  const rest = placeEpilogue(memory, epilogue, { ...p, scale: 1, ties: false, seed });
  const after = checkKernel(winograd, p, memory, [v, m, u, output, ...rest], { start: m, bytes: winogradSumBytes(p) });
  const end = epilogueReference(epilogue, new DataView(memory.bytes.buffer), rest);
  const actual = new Float32Array(after.buffer, after.byteOffset + output, rows * p.outRow);
  const expected = new Float32Array(rows * p.outRow);
  for (const { y, x, column, sum, magnitude } of convolve(c, input, weights, rowStride)) {
    const index = y * p.outRow + x * outPix + column;
    const scratch = epilogueReference(epilogue, new DataView(memory.bytes.buffer), rest);
    scratch.finish(sum + end.start(column), { y, x, column }, output, index);
    expected[index] = new DataView(memory.bytes.buffer).getFloat32(output + 4 * index, true);
    const allowed = TOLERANCE * (16 * magnitude + Math.abs(end.start(column)) + Math.abs(expected[index]!) + 1);
    assert.ok(Math.abs(actual[index]! - expected[index]!) < allowed, `${actual[index]} is not ${expected[index]}`);
  }
}

test('every tail of channels, columns, rows and pixels', () => {
  for (const channels of [1, 2, 3, 4, 5, 16, 21]) check({ channels, columns: 8, rows: 2, cols: 4, seed: channels });
  for (const columns of [1, 3, 4, 5, 8, 11, 12, 17]) check({ channels: 8, columns, rows: 4, cols: 2, seed: columns });
  for (const [rows, cols] of [
    [1, 1],
    [1, 2],
    [3, 5],
    [5, 4],
    [7, 7],
  ] as const)
    check({ channels: 8, columns: 9, rows, cols, gap: 3 });
});

test('residuals, no bias, every activation', () => {
  const shape = { channels: 16, columns: 12, rows: 5, cols: 6 };
  for (const storage of ['i16', 'f32'] as const)
    check({ ...shape, epilogue: { ...FLOAT, residual: { storage, pix: 13, row: 90 } } });
  check({ ...shape, epilogue: { ...FLOAT, bias: 'none' } });
  for (const activation of ACTIVATIONS.filter(({ kind }) => kind !== 'shrink' && kind !== 'thresholded_relu'))
    check({ ...shape, rows: 3, cols: 3, epilogue: { ...FLOAT, activation } });
});

test('random shapes', () => {
  const cases = fc.record({
    channels: fc.integer({ min: 1, max: 24 }),
    columns: fc.integer({ min: 1, max: 20 }),
    rows: fc.integer({ min: 1, max: 8 }),
    cols: fc.integer({ min: 1, max: 8 }),
    seed: fc.nat(9999),
    gap: fc.integer({ min: 0, max: 3 }),
  });
  fc.assert(fc.property(cases, check), { numRuns: 60 });
});

test.run();
