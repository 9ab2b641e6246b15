import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type DepthwiseParams,
  depthwise,
  packDepthwise,
  packedDepthwiseLength,
} from '../../src/codegen/kernels/depthwise.js';
import { ACTIVATIONS, CODES, FLOAT, placeEpilogue, REALS, REQUANTIZE } from '../support/epilogue-cases.js';
import { checkKernel, randomCodes, randomFloats, randomInts, TestMemory } from '../support/kernel-memory.js';

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
function convolution(
  storage: 'i16' | 'f32',
  shape: Partial<Shape>,
  over: Partial<DepthwiseParams> = {},
): DepthwiseParams {
  const s = { ...SMALL, ...shape };
  const out = (size: number, k: number): number => Math.floor((size - (k - 1) * s.dilation - 1) / s.stride) + 1;
  const row = s.width * s.channels;
  const cols = out(s.width, s.kernel[1]);
  return {
    storage,
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
    epilogue: storage === 'i16' ? REQUANTIZE : FLOAT,
    ...over,
  };
}

interface DepthwiseCase {
  readonly seed?: number;
  readonly ties?: boolean;
  readonly scale?: number;
  /** All inputs and weights are +-255. */
  readonly extreme?: boolean;
}

function check(p: DepthwiseParams, c: DepthwiseCase = {}): Float32Array {
  const { seed = 1, ties = false, extreme = false } = c;
  const { ySegments, xSegments, yStride, xStride } = p.taps;
  const taps = ySegments * xSegments;
  const memory = new TestMemory(4, seed);
  const sign = randomInts(seed + 3);
  const codes = (n: number, s: number): Int16Array =>
    extreme ? Int16Array.from({ length: n }, () => (sign() % 4 === 0 ? -255 : 255)) : randomCodes(n, s);
  const values = (n: number, s: number) => (p.storage === 'i16' ? codes(n, s) : randomFloats(n, s, 2));
  const last = (p.rows - 1) * p.rowStride + (p.cols - 1) * p.pixStride;
  const window = (ySegments - 1) * yStride + (xSegments - 1) * xStride + p.channels;
  const inputs = values(last + window, seed);
  const input = memory.tensor(p.storage, inputs);
  const raw = values(p.channels * taps, seed + 1);
  const packed = packDepthwise(p, (channel, tap) => raw[channel * taps + tap]!);
  assert.is(packed.length, packedDepthwiseLength(p));
  const weights = memory.tensor(p.storage, packed);
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

test('every tail of channels', () => {
  for (const storage of ['i16', 'f32'] as const)
    for (const channels of [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 24])
      check(convolution(storage, { channels }), { seed: channels, ties: channels % 2 === 0 });
});

test('windows, strides, dilation', () => {
  for (const storage of ['i16', 'f32'] as const)
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
      check(convolution(storage, shape), { ties: true });
});

test('extreme codes of both signs', () => {
  for (const kernel of [
    [3, 3],
    [7, 7],
  ] as const)
    check(convolution('i16', { kernel, height: 8, width: 8 }), { extreme: true, scale: 2 ** -14 });
});

test('outputs with gaps stay untouched between pixels', () => {
  for (const storage of ['i16', 'f32'] as const) check(convolution(storage, {}, { outPix: 13, outRow: 5 * 13 + 3 }));
});

test('epilogues', () => {
  for (const activation of ACTIVATIONS) {
    check(convolution('i16', {}, { epilogue: { ...REQUANTIZE, activation } }), { scale: 2 ** -11 });
    check(convolution('f32', {}, { epilogue: { ...FLOAT, activation } }));
  }
  for (const storage of ['i16', 'f32'] as const)
    for (const proven of [true, false]) {
      const residual = { storage, pix: 11, row: 60 };
      const output = { ...CODES, rounding: 'away', proven } as const;
      check(convolution('i16', {}, { epilogue: { ...REQUANTIZE, bias: 'f32', residual, output } }), { ties: true });
    }
});

test('random depthwise convolutions agree with the reference', () => {
  const arbitrary = fc.record({
    storage: fc.constantFrom('i16', 'f32'),
    channels: fc.integer({ min: 1, max: 20 }),
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
      const p = convolution(c.storage, { ...c, height: size(0), width: size(1) });
      check(c.real ? { ...p, epilogue: { ...p.epilogue, output: REALS } } : p, c);
    }),
    { numRuns: 100 },
  );
});

test.run();
