/** Kernels that write at places, sum along a dimension or look for places, against their references. */
import { test } from 'uvu';
import { scanKernel } from '../../src/codegen/kernels/scan.js';
import { scatterKernel } from '../../src/codegen/kernels/scatter.js';
import { windowMaxKernel } from '../../src/codegen/kernels/window-max.js';
import { checkKernel, randomFloats, randomInts, TestMemory } from '../support/kernel-memory.js';

/** Integers in a range as int64 in memory. */
function wide(memory: TestMemory, n: number, seed: number, least: number, most: number): number {
  const next = randomInts(seed);
  const address = memory.space(n, 8);
  const view = new DataView(memory.bytes.buffer);
  for (let i = 0; i < n; i++) view.setBigInt64(address + 8 * i, BigInt(least + (next() % (most - least + 1))), true);
  return address;
}

test('rows are written in order, at places limited to the matrix', () => {
  for (const reduction of ['none', 'add', 'mul', 'min', 'max'] as const)
    for (const [storage, bits] of [
      ['f32', 32],
      ['i64', 32],
      ['i64', 64],
    ] as const)
      for (const run of [1, 5]) {
        const memory = new TestMemory(4, run);
        const tensor = (n: number, seed: number): number =>
          storage === 'f32' ? memory.f32(randomFloats(n, seed, 9)) : wide(memory, n, seed, -(2 ** 31), 2 ** 31 - 1);
        const params = { storage, bits, reduction, count: 9, rows: 4, run };
        checkKernel(scatterKernel, params, memory, [wide(memory, 9, 3, -2, 6), tensor(9 * run, 5), tensor(4 * run, 6)]);
      }
});

test('running sums from either end', () => {
  const kept = {
    dims: [2, 9],
    strides: [
      [60, 1],
      [45, 1],
    ],
  };
  for (const exclusive of [true, false])
    for (const [storage, bits] of [
      ['f32', 32],
      ['i64', 32],
      ['i64', 64],
    ] as const)
      for (const sign of [1, -1]) {
        const memory = new TestMemory(4, sign + 2);
        const n = 120;
        const source =
          storage === 'f32' ? memory.f32(randomFloats(n, 4, 9)) : wide(memory, n, 4, -(2 ** 31), 2 ** 31 - 1);
        const size = storage === 'f32' ? 4 : 8;
        const target = memory.space(90, size);
        const start = (step: number): number => (sign < 0 ? 4 * step * size : 0);
        const params = { storage, bits, exclusive, kept, size: 5, steps: [12 * sign, 9 * sign] as const };
        checkKernel(scanKernel, params, memory, [source + start(12), target + start(9)]);
      }
});

test('maxima over windows and their companions', () => {
  for (const width of [3, 11]) {
    const memory = new TestMemory(4, width);
    const row = width + 2;
    const source = memory.f32(randomFloats(6 * row, 2, 1).map((v) => Math.round(4 * v)));
    const companion = memory.f32(randomFloats(6 * row, 3, 9));
    const [at, to] = [
      [row, 1],
      [width, 1],
    ];
    const params = {
      kept: { dims: [4, width], strides: [at, at, to, to] },
      window: {
        dims: [3, 3],
        strides: [
          [row, 1],
          [row, 1],
        ],
      },
    };
    const out = [memory.space(4 * width, 4), memory.space(4 * width, 4)];
    checkKernel(windowMaxKernel, params, memory, [source, companion, ...out]);
  }
});

test.run();
