import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { STORAGE_BYTES, type Storage } from '../../src/codegen/kernel.js';
import type { MapOp, MapParams, UnaryFunction } from '../../src/codegen/kernels/map.js';
import { mapKernel } from '../../src/codegen/kernels/map.js';
import { FURTHER_UNARY } from '../../src/codegen/kernels/unary-functions.js';
import { checkKernel, codesFor, randomCodes, randomFloats, TestMemory } from '../support/kernel-memory.js';

/** Elements that a strided tensor spans. */
const span = (dims: readonly number[], strides: readonly number[]): number =>
  dims.reduce((n, d, i) => n + (d - 1) * strides[i]!, 1);

/** Row-major strides of a shape, permuted: position i of the nest runs along dimension order[i] of the tensor. */
function strides(dims: readonly number[], order: readonly number[], gap = 0): number[] {
  const out = dims.map(() => 0);
  let step = 1;
  for (const d of [...order].reverse()) {
    out[d] = step;
    step = step * dims[d]! + gap;
  }
  return out;
}

const OP_ARGS: Partial<Record<MapOp['kind'], (seed: number) => number[]>> = {
  quantize: (seed) => [Math.fround([0.5, 0.031, 1][seed % 3]!), seed % 2 ? -128 : 0, 127],
  requantize: (seed) => [Math.fround([0.5, 0.7312, 1.5][seed % 3]!), -128, seed % 2 ? 127 : 100],
  dequantize: () => [Math.fround(0.0173)],
  clamp: () => [0, 77],
};

/** A map without its storages. */
type Shape = Omit<MapParams, 'from' | 'to'>;

/** The storages that an op can have. */
function storagesOf(op: MapOp): readonly (readonly [Storage, Storage])[] {
  const codes = ['i16', 'i8'] as const;
  if (op.kind === 'activation' || op.kind === 'unary') return [['f32', 'f32']];
  if (op.kind === 'quantize') return codes.map((to) => ['f32', to]);
  if (op.kind === 'dequantize') return codes.map((from) => [from, 'f32']);
  const both = codes.flatMap((from) => codes.map((to) => [from, to] as const));
  return op.kind === 'copy' ? [...both, ['f32', 'f32']] : both;
}

/** Runs one map against its reference with random data in every storage; `sameAddress` maps in place. */
function check(shape: Shape, seed: number, sameAddress = false): void {
  for (const [from, to] of storagesOf(shape.op)) {
    if (sameAddress && from !== to) continue;
    const params: MapParams = { ...shape, from, to };
    const memory = new TestMemory(4, seed);
    const n = span(params.dims, params.source);
    // what goes to i8 without arithmetic must fit
    const values =
      from === 'f32'
        ? randomFloats(n, seed, 90, true)
        : codesFor(shape.op.kind === 'copy' && to === 'i8' ? 'i8' : from, n, seed);
    const source = memory.tensor(from, values);
    const target = sameAddress ? source : memory.space(span(params.dims, params.target), STORAGE_BYTES[to]);
    const table = params.op.kind === 'table' ? [memory.i16(codesFor(to as 'i8', 511, seed + 1)), 255] : [];
    const args = OP_ARGS[params.op.kind]?.(seed) ?? table;
    const bounded = to === 'i8' && args.length > 1 ? args.map((v) => (v === -128 ? 0 : v)) : args;
    checkKernel(mapKernel, params, memory, [source, target, ...bounded]);
  }
}

const KINDS: MapOp[] = [
  { kind: 'copy' },
  { kind: 'quantize', rounding: 'even' },
  { kind: 'quantize', rounding: 'away' },
  { kind: 'dequantize' },
  { kind: 'requantize', rounding: 'even' },
  { kind: 'requantize', rounding: 'away' },
  { kind: 'clamp' },
  { kind: 'table' },
  { kind: 'activation', activation: { kind: 'hard_swish', threshold: 6, scale: 6, offset: 3 } },
  { kind: 'activation', activation: { kind: 'relu6' } },
];

for (const op of KINDS) {
  test(`${JSON.stringify(op)}: lengths with and without tails`, () => {
    for (const n of [1, 3, 4, 5, 7, 8, 9, 15, 16, 31, 1003]) check({ dims: [n], source: [1], target: [1], op }, n);
  });

  test(`${JSON.stringify(op)}: random nests, permutations, gaps and broadcasts`, () => {
    const order = (rank: number) => fc.shuffledSubarray([...Array(rank).keys()], { minLength: rank, maxLength: rank });
    const nests = fc.integer({ min: 1, max: 4 }).chain((rank) =>
      fc.record({
        dims: fc.array(fc.integer({ min: 1, max: 11 }), { minLength: rank, maxLength: rank }),
        from: order(rank),
        to: order(rank),
        gap: fc.integer({ min: 0, max: 2 }),
        broadcast: fc.integer({ min: 0, max: 7 }),
        seed: fc.nat(1000),
      }),
    );
    fc.assert(
      fc.property(nests, ({ dims, from, to, gap, broadcast, seed }) => {
        const source = strides(dims, from).map((s, i) => (i === broadcast ? 0 : s));
        check({ dims, source, target: strides(dims, to, gap), op }, seed);
      }),
      { numRuns: 60, seed: 7 },
    );
  });
}

test('network input: NCHW to NHWC with a halo, quantized', () => {
  const [h, w, c, pad] = [9, 29, 3, 1];
  const row = (w + 2 * pad) * c;
  for (const rounding of ['even', 'away'] as const)
    check({ dims: [h, w, c], source: [w, 1, h * w], target: [row, c, 1], op: { kind: 'quantize', rounding } }, 5);
});

test('transposes in blocks: tails of both sides, outer dimensions, gaps, a halo', () => {
  fc.assert(
    fc.property(
      fc.record({
        rows: fc.integer({ min: 2, max: 21 }),
        cols: fc.integer({ min: 4, max: 37 }),
        outer: fc.integer({ min: 1, max: 3 }),
        gaps: fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 })),
        order: fc.constantFrom([0, 1, 2], [1, 0, 2], [1, 2, 0], [0, 2, 1], [2, 0, 1], [2, 1, 0]),
        kind: fc.constantFrom(0, 1, 2, 3, 4, 8, 9),
        seed: fc.nat(9999),
      }),
      ({ rows, cols, outer, gaps, order, kind, seed }) => {
        const dims = [outer, rows, cols];
        const [source, target] = [strides(dims, [0, 1, 2], gaps[0]), strides(dims, [0, 2, 1], gaps[1])];
        const pick = (list: readonly number[]): number[] => order.map((i) => list[i]!);
        check({ dims: pick(dims), source: pick(source), target: pick(target), op: KINDS[kind]! }, seed);
      },
    ),
    { numRuns: 150 },
  );
});

test('source and target may be one', () => {
  for (const op of KINDS) check({ dims: [5, 13], source: [20, 1], target: [20, 1], op }, 3, true);
});

test('negative strides flip', () => {
  const memory = new TestMemory(1, 1);
  const source = memory.i16(randomCodes(19, 1));
  const target = memory.space(19, 2);
  const copy = { dims: [19], from: 'i16', to: 'i16', op: { kind: 'copy' } } as const;
  checkKernel(mapKernel, { ...copy, source: [-1], target: [1] }, memory, [source + 36, target]);
  checkKernel(mapKernel, { ...copy, source: [1], target: [-1] }, memory, [source, target + 36]);
});

test('rows longer than the unrolled copy', () => {
  check({ dims: [3, 700], source: [701, 1], target: [710, 1], op: { kind: 'copy' } }, 3);
  check({ dims: [2, 3, 200], source: [600, 200, 1], target: [700, 200, 1], op: { kind: 'copy' } }, 4);
});

test('quantize: ties, extremes and NaN', () => {
  const values = [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999997, -0.49999997, 126.5, 127.5, 1e38, -1e38, Infinity];
  values.push(-Infinity, Number.NaN, -0, 1e-45, 4194304.5, 8388609);
  const want = {
    even: [0, 2, 2, 0, -2, -2, 0, 0, 126, 127, 127, -128, 127, -128, -128, 0, 0, 127, 127],
    away: [1, 2, 3, -1, -2, -3, 0, 0, 127, 127, 127, -128, 127, -128, -128, 0, 0, 127, 127],
  };
  for (const rounding of ['even', 'away'] as const) {
    const memory = new TestMemory(1, 1);
    const source = memory.f32(values);
    const target = memory.space(values.length, 2);
    const op = { kind: 'quantize', rounding } as const;
    const params: MapParams = { dims: [values.length], from: 'f32', to: 'i16', source: [1], target: [1], op };
    const out = checkKernel(mapKernel, params, memory, [source, target, 1, -128, 127]);
    assert.equal([...new Int16Array(out.buffer, target, values.length)], want[rounding]);
  }
});

test('unary functions of reals, extremes among them', () => {
  const functions: UnaryFunction[] = ['exp', 'log', 'sqrt', 'erf', 'neg', 'abs', 'reciprocal', 'floor', 'ceil'];
  for (const fn of [...functions, 'round', 'softplus', 'square', ...FURTHER_UNARY] as UnaryFunction[]) {
    const memory = new TestMemory(1, 2);
    const values = randomFloats(203, 3, 50, true).map((v) => (fn === 'log' || fn === 'sqrt' ? Math.abs(v) : v));
    const args = [memory.f32(values), memory.space(203, 4)];
    const params = {
      dims: [203],
      from: 'f32',
      to: 'f32',
      source: [1],
      target: [1],
      op: { kind: 'unary', fn },
    } as const;
    checkKernel(mapKernel, params, memory, args);
  }
});

test.run();
