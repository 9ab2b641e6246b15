import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { STORAGE_BYTES, type Storage } from '../../src/codegen/kernel.js';
import { type BinaryOp, type BinaryParams, binaryKernel, usesOutputScale } from '../../src/codegen/kernels/binary.js';
import { FURTHER_BINARY } from '../../src/codegen/kernels/binary-functions.js';
import { checkKernel, codesFor, randomFloats, TestMemory } from '../support/kernel-memory.js';

const OPS: BinaryOp[] = ['add', 'sub', 'mul', 'div', 'min', 'max'];

const span = (dims: readonly number[], strides: readonly number[]): number =>
  dims.reduce((n, d, i) => n + (d - 1) * strides[i]!, 1);

/** Row-major strides; dimensions of `broadcast` (a bit mask) are 0. */
function strides(dims: readonly number[], broadcast = 0, gap = 0): number[] {
  let step = 1;
  return dims
    .map((d, i) => ({ d, i }))
    .reverse()
    .map(({ d, i }) => {
      if (broadcast & (1 << i)) return 0;
      const mine = step;
      step = step * d + gap;
      return mine;
    })
    .reverse();
}

/** Divisors without zeros: the bits of NaN are not specified. */
const nonZero = <T extends Int16Array | Float32Array>(values: T): T => {
  values.forEach((v, i) => {
    if (v === 0) values[i] = 1;
  });
  return values;
};

function check(p: BinaryParams, seed: number, inPlace = false): void {
  const memory = new TestMemory(4, seed);
  const data = (storage: Storage, list: readonly number[], s: number) => {
    const n = span(p.dims, list);
    return nonZero(storage === 'f32' ? randomFloats(n, s, 5) : codesFor(storage, n, s));
  };
  const a = memory.tensor(p.a.storage, data(p.a.storage, p.a.strides, seed));
  const b = memory.tensor(p.b.storage, data(p.b.storage, p.b.strides, seed + 9));
  const target = inPlace ? a : memory.space(span(p.dims, p.target), STORAGE_BYTES[p.output.storage]);
  const args = [a, b, target];
  const codes = p.a.storage !== 'f32' || p.b.storage !== 'f32';
  const round = (v: number) => Math.fround(seed % 3 === 0 ? 2 ** Math.round(Math.log2(v)) : v);
  if (codes) args.push(...(p.op === 'mul' ? [round(0.013)] : [round(0.6), round(0.371)]));
  if (usesOutputScale(p)) args.push(round(0.043));
  if (p.output.storage !== 'f32') args.push(seed % 2 && p.output.storage === 'i16' ? -128 : 0, 127);
  checkKernel(binaryKernel, p, memory, args);
}

const operand = (storage: Storage, list: readonly number[]) => ({ storage, strides: list });

for (const op of OPS) {
  test(`${op}: every storage, both roundings, tails`, () => {
    let seed = 1;
    for (const n of [1, 4, 7, 8, 13, 517])
      for (const [a, b] of [
        ['i16', 'i16'],
        ['i16', 'f32'],
        ['f32', 'i16'],
        ['f32', 'f32'],
        ['i8', 'i16'],
        ['i8', 'f32'],
        ['i8', 'i8'],
      ] as const)
        for (const rounding of ['even', 'away', null] as const) {
          const storage = seed % 2 ? 'i16' : 'i8';
          const output = rounding ? ({ storage, rounding } as const) : ({ storage: 'f32' } as const);
          const target = [1];
          check({ op, dims: [n], a: operand(a, [1]), b: operand(b, [1]), target, activation: null, output }, seed++);
        }
  });

  test(`${op}: random nests with broadcasting`, () => {
    const cases = fc.record({
      dims: fc.array(fc.integer({ min: 1, max: 11 }), { minLength: 1, maxLength: 4 }),
      broadcastA: fc.nat(15),
      broadcastB: fc.nat(15),
      gap: fc.nat(2),
      a: fc.constantFrom<Storage>('i8', 'i16', 'f32'),
      b: fc.constantFrom<Storage>('i8', 'i16', 'f32'),
      output: fc.constantFrom<Storage>('i8', 'i16', 'f32'),
      activated: fc.boolean(),
      seed: fc.nat(1000),
    });
    fc.assert(
      fc.property(cases, (c) => {
        check(
          {
            op,
            dims: c.dims,
            a: operand(c.a, strides(c.dims, c.broadcastA, c.gap)),
            b: operand(c.b, strides(c.dims, c.broadcastB)),
            target: strides(c.dims, 0, c.gap),
            activation: c.activated ? { kind: 'hard_sigmoid', slope: 0.2, offset: 0.5 } : null,
            output: c.output === 'f32' ? { storage: c.output } : { storage: c.output, rounding: 'even' },
          },
          c.seed,
        );
      }),
      { numRuns: 80, seed: 11 },
    );
  });
}

test('per-channel factor of a squeeze-and-excite block', () => {
  const dims = [35, 24];
  const output = { storage: 'i16', rounding: 'away' } as const;
  const a = operand('i16', [24, 1]);
  check({ op: 'mul', dims, a, b: operand('i16', [0, 1]), target: [24, 1], activation: null, output }, 3);
});

test('further operations of reals', () => {
  for (const op of FURTHER_BINARY)
    for (const n of [1, 8, 517]) {
      const params = { op, dims: [n], target: [1], activation: null, output: { storage: 'f32' } } as const;
      const memory = new TestMemory(4, n);
      // negative bases have whole exponents: the bits of NaN are not specified
      const truth = op === 'and' || op === 'or' || op === 'xor';
      const values = [1, 2].map((seed) => nonZero(randomFloats(n, seed, 5)).map((v) => (truth ? Number(v < 0) : v)));
      const a = values[0]!;
      const b = values[1]!.map((v) => (op === 'pow' ? Math.round(v) : v));
      const operands = { a: operand('f32', [1]), b: operand('f32', [1]) };
      const args = [memory.f32(a), memory.f32(b), memory.space(n, 4)];
      checkKernel(binaryKernel, { ...params, ...operands }, memory, args);
    }
});

test('in place', () => {
  const a = operand('i16', [20, 1]);
  const output = { storage: 'i16', rounding: 'even' } as const;
  for (const op of OPS)
    check({ op, dims: [5, 13], a, b: operand('f32', [0, 1]), target: [20, 1], activation: null, output }, 6, true);
});

test('huge reals saturate, NaN becomes the lower bound', () => {
  const values = [1e38, -1e38, Infinity, -Infinity, 5e6, -5e6, 0, Infinity];
  const other = [1e38, -1e38, 1, 1, 4194304.5, -1, -0, -Infinity];
  for (const rounding of ['even', 'away'] as const) {
    const memory = new TestMemory(1, 1);
    const args = [memory.f32(values), memory.f32(other), memory.space(8, 2), 1, -128, 127];
    const [a, b] = [operand('f32', [1]), operand('f32', [1])];
    const output = { storage: 'i16', rounding } as const;
    const params: BinaryParams = { op: 'add', dims: [8], a, b, target: [1], activation: null, output };
    const out = checkKernel(binaryKernel, params, memory, args);
    assert.equal([...new Int16Array(out.buffer, args[2], 8)], [127, -128, 127, -128, 127, -128, 0, -128]);
  }
});

test('add rounds ties by the mode and clamps', () => {
  for (const [rounding, want] of [
    ['even', [2, 4, -2, 127, -128]],
    ['away', [3, 4, -3, 127, -128]],
  ] as const) {
    const memory = new TestMemory(1, 1);
    const args = [memory.i16([3, 4, -3, 255, -255]), memory.i16([2, 3, -2, 255, -255]), memory.space(5, 2)];
    const params: BinaryParams = {
      op: 'add',
      dims: [5],
      a: operand('i16', [1]),
      b: operand('i16', [1]),
      target: [1],
      activation: null,
      output: { storage: 'i16', rounding },
    };
    const out = checkKernel(binaryKernel, params, memory, [...args, 0.5, 0.5, -128, 127]);
    assert.equal([...new Int16Array(out.buffer, args[2], 5)], want);
  }
});

test('sums that are proven small are clamped behind the rounding, or by storing', () => {
  let seed = 1;
  for (const op of ['add', 'sub', 'mul'] as const)
    for (const a of ['i8', 'i16'] as const)
      for (const n of [1, 5, 8, 12, 77])
        for (const known of [{}, { saturates: true }] as const)
          for (const rounding of ['even', 'away'] as const) {
            const storage = 'saturates' in known || n % 2 ? 'i8' : 'i16';
            const output = { storage, rounding, proven: true, ...known } as const;
            const p: BinaryParams = {
              op,
              dims: [2, n],
              a: operand(a, [n, 1]),
              b: operand('i8', n % 3 ? [n, 1] : [0, 1]),
              target: [n, 1],
              activation: null,
              output,
            };
            check(p, seed++, false);
          }
});

test.run();
