import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Storage } from '../../src/codegen/kernel.js';
import {
  type DepthwiseParams,
  depthwise,
  packDepthwise,
  packedDepthwiseLength,
} from '../../src/codegen/kernels/depthwise.js';
import { ARITHMETIC } from '../../src/codegen/kernels/depthwise-layout.js';
import { provenRuns } from '../../src/codegen/kernels/depthwise-runs.js';
import {
  ACTIVATIONS,
  CODES,
  FLOAT,
  placeEpilogue,
  REALS,
  REQUANTIZE,
  SATURATING_CODES,
  SMALL_CODES,
} from '../support/epilogue-cases.js';
import { checkKernel, codesFor, randomCodes, randomFloats, randomInts, TestMemory } from '../support/kernel-memory.js';

interface Shape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly kernel: readonly [number, number];
  readonly stride: number;
  readonly dilation: number;
}

const SMALL: Shape = { channels: 11, height: 6, width: 7, kernel: [3, 3], stride: 1, dilation: 1 };

/** A depthwise convolution on a padded NHWC image of `height` x `width`. */
function convolution(storage: Storage, shape: Partial<Shape>, over: Partial<DepthwiseParams> = {}): DepthwiseParams {
  const s = { ...SMALL, ...shape };
  const out = (size: number, k: number): number => Math.floor((size - (k - 1) * s.dilation - 1) / s.stride) + 1;
  const row = s.width * s.channels;
  const cols = out(s.width, s.kernel[1]);
  return {
    storage,
    arithmetic: storage === 'f32' ? 'float' : 'dot',
    runs: [],
    channels: s.channels,
    rows: out(s.height, s.kernel[0]),
    cols,
    taps: {
      ySegments: s.kernel[0],
      xSegments: s.kernel[1],
      yStride: row * s.dilation,
      xStride: s.channels * s.dilation,
    },
    pixStride: s.stride * s.channels,
    rowStride: s.stride * row,
    outPix: s.channels,
    outRow: cols * s.channels,
    epilogue: storage === 'f32' ? FLOAT : REQUANTIZE,
    ...over,
  };
}

interface DepthwiseCase {
  readonly seed?: number;
  readonly ties?: boolean;
  readonly scale?: number;
  /** All inputs and weights are +-255. */
  readonly extreme?: boolean;
  /** Whether runs may start beside 0; relaxed ones by default. */
  readonly shifts?: boolean;
  /** The input ends where the memory does, but for the elements that may be read behind it. */
  readonly atEnd?: boolean;
}

/** Inputs that a storage holds. */
function inputsFor(p: DepthwiseParams, n: number, { seed = 1, extreme = false }: DepthwiseCase) {
  const sign = randomInts(seed + 3);
  if (p.storage === 'f32') return randomFloats(n, seed, 2);
  const [least, most] = p.storage === 'i8' ? [0, 127] : [-255, 255];
  if (extreme) return Int16Array.from({ length: n }, () => (sign() % 4 === 0 ? least : most));
  return codesFor(p.storage, n, seed);
}

/** Weights that an arithmetic may have; those that add in int16 have small ones among them, so that runs are long. */
function weightsFor(p: DepthwiseParams, n: number, { seed = 1, extreme = false }: DepthwiseCase) {
  if (p.storage === 'f32') return randomFloats(n, seed + 1, 2);
  const sign = randomInts(seed + 4);
  const inRuns = ARITHMETIC[p.arithmetic].runs;
  const taps = p.taps.ySegments * p.taps.xSegments;
  const [least, most] = p.arithmetic === 'relaxed' ? [-128, 127] : inRuns ? [-127, 127] : [-255, 255];
  const shrink = inRuns && seed % 2 ? Math.ceil(taps / 3) : 1;
  if (extreme) return Int16Array.from({ length: n }, () => (sign() % 4 === 0 ? most : least));
  return randomCodes(n, seed + 1).map((v) => Math.trunc(Math.min(most, Math.max(least, v)) / shrink));
}

function check(shape: DepthwiseParams, c: DepthwiseCase = {}): Float32Array {
  const { seed = 1, ties = false } = c;
  const { ySegments, xSegments, yStride, xStride } = shape.taps;
  const taps = ySegments * xSegments;
  const raw = weightsFor(shape, shape.channels * taps, c);
  const weight = (channel: number, tap: number): number => raw[channel * taps + tap]!;
  const { runs: inRuns, taps: tapsPerStep } = ARITHMETIC[shape.arithmetic];
  const range = shape.storage === 'i8' ? { lo: 0, hi: 127 } : { lo: -255, hi: 255 };
  const question = { channels: shape.channels, taps, tapsPerStep, input: range, weight };
  const runs = inRuns ? provenRuns(question, c.shifts ?? shape.arithmetic === 'relaxed') : { lengths: [], starts: [] };
  const started = (runs?.starts ?? []).flatMap((list, i) => (list.some((v) => v !== 0) ? [i] : []));
  const p: DepthwiseParams = runs
    ? { ...shape, runs: runs.lengths, ...(started.length ? { started } : {}) }
    : { ...shape, arithmetic: 'dot' };
  const memory = new TestMemory(4, seed);
  const last = (p.rows - 1) * p.rowStride + (p.cols - 1) * p.pixStride;
  const window = (ySegments - 1) * yStride + (xSegments - 1) * xStride + p.channels;
  const values = inputsFor(p, last + window, c);
  const input = c.atEnd ? memory.atEnd(p.storage, values, 15) : memory.tensor(p.storage, values);
  const packed = packDepthwise(p, weight, runs?.starts);
  assert.is(packed.length, packedDepthwiseLength(p));
  const weights = memory.tensor(ARITHMETIC[p.arithmetic].weights, packed);
  const output = memory.space((p.rows - 1) * p.outRow + (p.cols - 1) * p.outPix + p.channels, 4);
  const rest = placeEpilogue(memory, p.epilogue, {
    ...p,
    columns: p.channels,
    scale: c.scale ?? 1 / (200 * Math.sqrt(taps)),
    ties,
    seed,
  });
  const after = checkKernel(depthwise, p, memory, [input, output, weights, ...rest]);
  return new Float32Array(after.buffer, output, p.outPix);
}

/** Every storage with every arithmetic that it can have; relaxed products also store small codes. */
const VARIANTS: readonly (readonly [Storage, Partial<DepthwiseParams>])[] = [
  ['i16', {}],
  ['i16', { arithmetic: 'multiply' }],
  ['f32', {}],
  ['i8', {}],
  ['i8', { arithmetic: 'multiply', epilogue: { ...REQUANTIZE, output: SMALL_CODES } }],
  ['i8', { arithmetic: 'relaxed', epilogue: { ...REQUANTIZE, output: SATURATING_CODES } }],
  ['i8', { arithmetic: 'relaxed' }],
];

test('the packed convolution is the convolution', () => {
  const p = convolution('i16', {}, { epilogue: { ...REQUANTIZE, bias: 'none', output: REALS } });
  const actual = check(p, { ties: true, scale: 2 ** 60, seed: 4 });
  const inputs = randomCodes(6 * 7 * 11, 4);
  const raw = randomCodes(11 * 9, 5);
  const zero = [...actual].map((v, channel) => {
    let sum = 0;
    for (let t = 0; t < 9; t++)
      sum += inputs[(Math.floor(t / 3) * 7 + (t % 3)) * 11 + channel]! * raw[channel * 9 + t]!;
    // factors are powers of two in 2^58 .. 2^60
    return [1, 2, 4].some((d) => v === (sum * 2 ** 60) / d);
  });
  assert.ok(zero.every(Boolean));
});

test('every number of channels left after the last block', () => {
  for (const [storage, over] of VARIANTS)
    for (const channels of [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 24, 33])
      check(convolution(storage, { channels }, over), { seed: channels, ties: channels % 2 === 0 });
});

test('windows, strides, dilation', () => {
  for (const [storage, over] of VARIANTS)
    for (const shape of [
      { stride: 2 },
      { dilation: 2 },
      { stride: 2, dilation: 2, height: 9, width: 10 },
      { kernel: [1, 1] },
      { kernel: [1, 2] },
      { kernel: [2, 2] },
      { kernel: [5, 1] },
      { kernel: [5, 5] },
      { kernel: [7, 7], height: 9, width: 8 },
      { kernel: [6, 6], height: 7, width: 7 },
      { kernel: [1, 35], height: 2, width: 36 },
    ] as const)
      for (const seed of [1, 2]) check(convolution(storage, shape, over), { ties: true, seed });
});

test('runs are as long as the weights prove, and no longer', () => {
  const input = { lo: 0, hi: 127 };
  const runs = (weights: number[], tapsPerStep: number, range = input) =>
    provenRuns({ channels: 1, taps: weights.length, tapsPerStep, input: range, weight: (_, tap) => weights[tap]! })
      ?.lengths;
  assert.equal(runs([-128, -128, 127, 127, 4, 0, 0, 0, 0], 2), [5]);
  assert.equal(runs([-128, -128, 127, 127, -3, 0, 0, 0, 0], 2), [2, 3]);
  assert.equal(runs([127, 127, 4, 0], 1), [4]);
  assert.equal(runs([127, 127, 5, 0], 1), [2, 2]);
  assert.equal(runs([100, -100, 100, -100, 58, -58], 1), [6]);
  assert.equal(runs([100, -100, 100, -100, 59, -59], 1), [4, 2]);
  assert.equal(runs([127, 1, 1], 1, { lo: -255, hi: 255 }), [2, 1]);
  assert.equal(runs([-129], 1, { lo: -255, hi: 255 }), undefined);
  assert.is(runs(new Array(33).fill(0), 1), undefined);
});

test('runs that may start beside 0 are longer: their bounds have to be 65535 apart', () => {
  const shifted = (weights: number[]) =>
    provenRuns(
      { channels: 1, taps: weights.length, tapsPerStep: 2, input: { lo: 0, hi: 127 }, weight: (_, t) => weights[t]! },
      true,
    );
  const plain = (list: readonly Int16Array[]) => list.map((starts) => [...starts]);
  const ends = shifted([127, 127, 127, 127, -128, -128, -128, -128, 4]);
  assert.equal(ends?.lengths, [2, 3]);
  assert.equal(plain(ends!.starts), [[32767 - 127 * 508], [127 * 512 - 32768]]);
  assert.equal(shifted([100, -100, 100, -100, 58, -58])?.lengths, [3]);
  assert.equal(plain(shifted([100, -100, 100, -100, 58, -58])!.starts), [[0]]);
  assert.equal(shifted([-128, -128, 127, 127, 4, 1])?.lengths, [3]);
  assert.equal(shifted([-128, -128, 127, 127, 4, 3])?.lengths, [2, 1]);
});

test('starts of runs: sums at both ends of int16', () => {
  for (const shifts of [true, false])
    for (const kernel of [
      [3, 3],
      [5, 5],
    ] as const)
      for (const channels of [5, 16, 40])
        check(convolution('i8', { kernel, channels, height: 8, width: 8 }, { arithmetic: 'relaxed' }), {
          extreme: true,
          scale: 2 ** -12,
          shifts,
        });
});

test('extreme codes of both signs', () => {
  for (const kernel of [
    [3, 3],
    [7, 7],
  ] as const)
    for (const [storage, over] of VARIANTS)
      check(convolution(storage, { kernel, height: 8, width: 8 }, over), { extreme: true, scale: 2 ** -14 });
});

test('outputs with gaps stay untouched between pixels', () => {
  for (const [storage, over] of VARIANTS) check(convolution(storage, {}, { ...over, outPix: 13, outRow: 5 * 13 + 3 }));
});

test('activations; residuals of every storage', () => {
  for (const activation of ACTIVATIONS) {
    check(convolution('i16', {}, { epilogue: { ...REQUANTIZE, activation } }), { scale: 2 ** -11 });
    check(convolution('f32', {}, { epilogue: { ...FLOAT, activation } }));
  }
  for (const storage of ['i8', 'i16', 'f32'] as const)
    for (const proven of [true, false]) {
      const residual = { storage, pix: 11, row: 60 };
      const output = { ...CODES, rounding: 'away', proven } as const;
      check(convolution('i16', {}, { epilogue: { ...REQUANTIZE, bias: 'f32', residual, output } }), { ties: true });
    }
});

test('nothing is read further behind the input than is allowed', () => {
  for (const [storage, over] of VARIANTS)
    for (const width of [3, 4, 5, 7]) check(convolution(storage, { width, channels: 24 }, over), { atEnd: true });
});

test('random depthwise convolutions agree with the reference', () => {
  const arbitrary = fc.record({
    variant: fc.constantFrom(...VARIANTS),
    channels: fc.integer({ min: 1, max: 40 }),
    kernel: fc.tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 })),
    extra: fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 4 })),
    stride: fc.integer({ min: 1, max: 3 }),
    dilation: fc.integer({ min: 1, max: 2 }),
    seed: fc.nat(9999),
    ties: fc.boolean(),
    real: fc.boolean(),
  });
  fc.assert(
    fc.property(arbitrary, (c) => {
      const size = (i: 0 | 1): number => (c.kernel[i] - 1) * c.dilation + 1 + c.extra[i];
      const [storage, over] = c.variant;
      const p = convolution(storage, { ...c, height: size(0), width: size(1) }, over);
      check(c.real ? { ...p, epilogue: { ...p.epilogue, output: REALS } } : p, c);
    }),
    { numRuns: 100 },
  );
});

test.run();
