/** Kernels of 64-bit integers against their references, at the ends of their range too. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { contractKernel } from '../../src/codegen/kernels/contract.js';
import { integerReduceKernel } from '../../src/codegen/kernels/integer-reduce.js';
import { integerTopKKernel } from '../../src/codegen/kernels/integer-top-k.js';
import {
  type IntegerBinary,
  type IntegerUnary,
  integerKernel,
  nearestFloat,
} from '../../src/codegen/kernels/integers.js';
import { checkKernel, randomFloats, randomInts, TestMemory } from '../support/kernel-memory.js';

const MAX = 2n ** 63n - 1n;
const EXTREMES = [0n, 1n, -1n, 2n, -2n, 63n, 64n, 255n, -129n, 2n ** 31n, -(2n ** 31n), 2n ** 53n + 1n, MAX, -MAX - 1n];

/** Integers of all sizes, the extremes among them. */
function integers(memory: TestMemory, n: number, seed: number): number {
  const next = randomInts(seed);
  const address = memory.space(n, 8);
  const view = new DataView(memory.bytes.buffer);
  for (let i = 0; i < n; i++) {
    const wide = BigInt.asIntN(64, (BigInt(next()) << 32n) | BigInt(next()));
    const v = next() % 3 === 0 ? (EXTREMES[next() % EXTREMES.length] as bigint) : wide >> BigInt(next() % 64);
    view.setBigInt64(address + 8 * i, v, true);
  }
  return address;
}

const BINARY: readonly IntegerBinary[] = [
  'add',
  'sub',
  'mul',
  'quotient',
  'floor_mod',
  'trunc_mod',
  'min',
  'max',
  'pow',
  'bit_and',
  'bit_or',
  'bit_xor',
  'shift_left',
  'shift_right',
  'prelu',
  'equal',
  'less',
  'less_equal',
];

for (const op of BINARY) {
  test(`${op} of all pairs of extremes, and with broadcasting`, () => {
    for (const bits of [32, 64] as const) {
      const memory = new TestMemory(4, bits);
      const n = EXTREMES.length;
      const address = memory.space(n, 8);
      EXTREMES.forEach((v, i) => {
        new DataView(memory.bytes.buffer).setBigInt64(address + 8 * i, v, true);
      });
      const pairs = [
        [1, 0],
        [0, 1],
        [n, 1],
      ];
      checkKernel(integerKernel, { op, bits, dims: [n, n], strides: pairs }, memory, [
        address,
        address,
        memory.space(n * n, 8),
      ]);
      const strides = [
        [7, 1],
        [0, 3],
        [2, 9],
      ];
      const args = [integers(memory, 40, 3), integers(memory, 40, 4), memory.space(80, 8)];
      checkKernel(integerKernel, { op, bits, dims: [3, 7], strides }, memory, args);
    }
  });
}

for (const op of ['neg', 'abs', 'sign', 'bit_not', 'to_real', 'to_i8', 'to_u8', 'truth'] as readonly IntegerUnary[]) {
  test(`${op}`, () => {
    for (const bits of [32, 64] as const) {
      const memory = new TestMemory(4, bits);
      const params = { op, bits, dims: [50], strides: [[2], [1]] };
      checkKernel(integerKernel, params, memory, [integers(memory, 100, 5), memory.space(50, 8)]);
    }
  });
}

test('from_real cuts and saturates', () => {
  const values = [0, -0, 0.9, -0.9, 2 ** 31, -(2 ** 31), 3e9, -3e9, 2 ** 63, -(2 ** 63), 1e30, Number.NaN, -1.5, 77.7];
  for (const bits of [32, 64] as const) {
    const memory = new TestMemory(4, bits);
    const params = { op: 'from_real' as const, bits, dims: [values.length], strides: [[1], [1]] };
    checkKernel(integerKernel, params, memory, [memory.f32(values), memory.space(values.length, 8)]);
  }
});

test('the nearest float is rounded once', () => {
  // halfway to the next double above a tie of floats: rounding twice would go up
  assert.is(nearestFloat(2n ** 60n + 2n ** 36n + 1n), 2 ** 60 + 2 ** 37);
  assert.is(nearestFloat(2n ** 60n + 2n ** 36n), 2 ** 60);
  assert.is(nearestFloat(-(2n ** 60n) - 2n ** 36n - 1n), -(2 ** 60) - 2 ** 37);
  assert.is(nearestFloat(2n ** 24n + 1n), 2 ** 24);
  assert.is(nearestFloat(-7n), -7);
});

test('reductions', () => {
  for (const op of ['sum', 'prod', 'max', 'min'] as const)
    for (const bits of [32, 64] as const) {
      const memory = new TestMemory(4, bits);
      const kept = [
        { size: 3, source: 20, target: 2 },
        { size: 2, source: 1, target: 1 },
      ];
      const reduced = [{ size: 5, source: 4 }];
      const args = [integers(memory, 80, 6), memory.space(6, 8)];
      checkKernel(integerReduceKernel, { op, bits, kept, reduced }, memory, args);
      checkKernel(integerReduceKernel, { op, bits, kept: [], reduced: [] }, memory, args);
    }
});

test('the best k, with equal elements', () => {
  for (const largest of [true, false])
    for (const last of [true, false])
      for (const k of [1, 3, 6]) {
        const memory = new TestMemory(4, k);
        const source = integers(memory, 40, k);
        // some equal ones
        memory.bytes.copyWithin(source + 8 * 12, source, source + 8 * 9);
        const kept = { dims: [5], strides: [[1], [k], [k]] };
        const args = [source, memory.space(5 * k, 8), memory.space(5 * k, 8)];
        checkKernel(integerTopKKernel, { largest, last, k, kept, size: 6, steps: [5, 1, 1] }, memory, args);
      }
});

test('sums of products of integers and of floats', () => {
  const kept = {
    dims: [3, 9],
    strides: [
      [5, 0],
      [0, 1],
      [0, 1],
      [9, 1],
    ],
  };
  for (const dims of [[5], [], [0]]) {
    const reduced = { dims, strides: [dims.map(() => 1), dims.map(() => 9)] };
    const memory = new TestMemory(4, dims.length);
    const whole = [integers(memory, 15, 7), integers(memory, 45, 8), integers(memory, 9, 9), memory.space(27, 8)];
    checkKernel(contractKernel, { storage: 'i64', kept, reduced }, memory, whole);
    const reals = [15, 45, 9].map((n) => memory.f32(randomFloats(n, n, 3)));
    checkKernel(contractKernel, { storage: 'f32', kept, reduced }, memory, [...reals, memory.space(27, 4)]);
  }
});

test.run();
