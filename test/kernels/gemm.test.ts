import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Epilogue, Storage } from '../../src/codegen/kernel.js';
import { type GemmParams, gemm, joinRows, packedGemmLength, packGemm } from '../../src/codegen/kernels/gemm.js';
import { weightStorage } from '../../src/codegen/kernels/gemm-layout.js';
import { pixelTiles } from '../../src/codegen/kernels/gemm-tile.js';
import { chooseTile } from '../../src/codegen/select.js';
import {
  ACTIVATIONS,
  CODES,
  FLOAT,
  placeEpilogue,
  REALS,
  REQUANTIZE,
  SATURATING_CODES,
} from '../support/epilogue-cases.js';
import { checkKernel, codesFor, randomCodes, randomFloats, randomInts, TestMemory } from '../support/kernel-memory.js';

/** A product of a [rows * cols, k] matrix; `over` changes the rest. */
function matrix(storage: Storage, m: number, n: number, k: number, over: Partial<GemmParams> = {}): GemmParams {
  const p = {
    storage,
    isa: 'simd' as const,
    columns: n,
    rows: 1,
    cols: m,
    taps: { ySegments: 1, xSegments: 1, length: k, yStride: 0, xStride: 0 },
    pixStride: k,
    rowStride: m * k,
    outPix: n,
    outRow: m * n,
    epilogue: storage === 'f32' ? FLOAT : REQUANTIZE,
    ...over,
  };
  return { ...p, tile: over.tile ?? chooseTile(p) };
}

interface ConvShape {
  readonly channels: number;
  readonly columns: number;
  readonly height: number;
  readonly width: number;
  readonly kernel: readonly [number, number];
  readonly stride: number;
  readonly dilation: number;
}

/** A convolution on a padded NHWC image, with the x taps as one segment where they are contiguous. */
function convolution(storage: Storage, s: ConvShape, over: Partial<GemmParams> = {}): GemmParams {
  const [kh, kw] = s.kernel;
  const outHeight = Math.floor((s.height - (kh - 1) * s.dilation - 1) / s.stride) + 1;
  const outWidth = Math.floor((s.width - (kw - 1) * s.dilation - 1) / s.stride) + 1;
  const row = s.width * s.channels;
  const merged = s.dilation === 1;
  return matrix(storage, outWidth, s.columns, s.channels, {
    rows: outHeight,
    taps: {
      ySegments: kh,
      xSegments: merged ? 1 : kw,
      length: merged ? kw * s.channels : s.channels,
      yStride: row * s.dilation,
      xStride: s.channels * s.dilation,
    },
    pixStride: s.stride * s.channels,
    rowStride: s.stride * row,
    outRow: outWidth * s.columns,
    ...over,
  });
}

/** Elements of a strided image with `length` contiguous elements per pixel. */
const extent = (rows: number, row: number, cols: number, pix: number, length: number): number =>
  (rows - 1) * row + (cols - 1) * pix + length;

interface GemmCase {
  readonly seed?: number;
  readonly ties?: boolean;
  readonly scale?: number;
  /** All inputs and weights are +-255. */
  readonly extreme?: boolean;
}

/** Places inputs, weights and epilogue operands at random and compares kernel and reference on all memory. */
function check(p: GemmParams, c: GemmCase = {}): void {
  const { seed = 1, ties = false, extreme = false } = c;
  const { taps } = p;
  const segments = taps.ySegments * taps.xSegments;
  const memory = new TestMemory(4, seed);
  const sign = randomInts(seed + 3);
  const inputs = (n: number) => {
    if (p.storage === 'f32') return randomFloats(n, seed, 2);
    const most = p.storage === 'i8' ? 127 : 255;
    if (extreme)
      return Int16Array.from({ length: n }, () => (sign() % 4 === 0 ? (p.storage === 'i8' ? 0 : -most) : most));
    return codesFor(p.storage, n, seed);
  };
  const weightsOf = (n: number) => {
    if (p.storage === 'f32') return randomFloats(n, seed + 1, 2);
    const [least, most] = p.isa === 'relaxed' ? [-128, 127] : [-255, 255];
    if (extreme) return Int16Array.from({ length: n }, () => (sign() % 4 === 0 ? most : least));
    return randomCodes(n, seed + 1).map((v) => Math.min(most, Math.max(least, v)));
  };
  const last = (taps.ySegments - 1) * taps.yStride + (taps.xSegments - 1) * taps.xStride + taps.length;
  const input = memory.tensor(p.storage, inputs(extent(p.rows, p.rowStride, p.cols, p.pixStride, last)));
  const raw = weightsOf(p.columns * segments * taps.length);
  const packed = packGemm(p, (n, s, k) => raw[(n * segments + s) * taps.length + k]!);
  assert.is(packed.length, packedGemmLength(p));
  const weights = memory.tensor(weightStorage(p), packed);
  const output = memory.space(extent(p.rows, p.outRow, p.cols, p.outPix, p.columns), 4);
  const scale = c.scale ?? 1 / (200 * Math.sqrt(segments * taps.length));
  const rest = placeEpilogue(memory, p.epilogue, { ...p, scale, ties, seed });
  checkKernel(gemm, p, memory, [input, output, weights, ...rest]);
}

/** The product by its definition, from unpacked weights: guards the order that kernel and reference share. */
test('the packed product is the product', () => {
  const p = matrix('i16', 5, 11, 7, { epilogue: { ...REQUANTIZE, bias: 'none', output: REALS } });
  const input = randomCodes(5 * 7, 1);
  const weight = randomCodes(11 * 7, 2);
  const memory = new TestMemory(1, 1);
  const output = memory.space(5 * 11, 4);
  const args = [
    memory.i16(input),
    output,
    memory.i16(packGemm(p, (n, _, k) => weight[n * 7 + k]!)),
    memory.f32(new Float32Array(16).fill(1)),
  ];
  const actual = new Float32Array(checkKernel(gemm, p, memory, args).buffer, output, 5 * 11);
  for (let m = 0; m < 5; m++)
    for (let n = 0; n < 11; n++) {
      let sum = 0;
      for (let k = 0; k < 7; k++) sum += input[m * 7 + k]! * weight[n * 7 + k]!;
      assert.is(actual[m * 11 + n], sum);
    }
});

test('tiles cover all pixels', () => {
  for (let cols = 1; cols < 40; cols++)
    for (let mr = 1; mr <= 8; mr++) {
      const tiles = pixelTiles(cols, mr);
      assert.is(
        tiles.reduce((sum, [count, pixels]) => sum + count * pixels, 0),
        cols,
      );
      assert.ok(tiles.every(([count, pixels]) => count >= 0 && pixels >= 1 && pixels <= mr));
    }
  assert.equal(pixelTiles(49, 4), [
    [11, 4],
    [1, 3],
    [1, 2],
  ]);
});

test('rows are joined only where everything is contiguous', () => {
  const p = matrix('i16', 6, 8, 4, { rows: 5, rowStride: 24, outRow: 48 });
  assert.is(joinRows(p).cols, 30);
  assert.is(joinRows({ ...p, outRow: 50 }).rows, 5);
  assert.is(joinRows({ ...p, rowStride: 28 }).rows, 5);
  const residual = { storage: 'i16', pix: 8, row: 56 } as const;
  assert.is(joinRows({ ...p, epilogue: { ...REQUANTIZE, residual } }).rows, 5);
});

/** Every combination of storage and instructions; relaxed products also store small codes. */
const VARIANTS: readonly (readonly [Storage, Partial<GemmParams>])[] = [
  ['i16', {}],
  ['f32', {}],
  ['i8', {}],
  ['i8', { isa: 'relaxed', epilogue: { ...REQUANTIZE, output: SATURATING_CODES } }],
];

test('every tail of columns, pixels and k', () => {
  for (const [storage, over] of VARIANTS) {
    for (const n of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 16, 17, 31])
      check(matrix(storage, 5, n, 9, over), { seed: n });
    for (const m of [1, 2, 3, 4, 5, 6, 7, 8, 9, 13]) check(matrix(storage, m, 11, 6, over), { seed: m, ties: true });
    for (const k of [1, 2, 3, 4, 5, 17]) check(matrix(storage, 4, 8, k, over), { seed: k });
  }
});

test('one row of many columns: fully connected', () => {
  for (const n of [10, 12, 16, 33, 101]) {
    for (const [storage, over] of VARIANTS)
      for (const k of [64, 31]) check(matrix(storage, 1, n, k, over), { seed: n });
  }
});

test('every tile gives the same codes', () => {
  for (const tile of [
    { mr: 1, nr: 4 },
    { mr: 3, nr: 8 },
    { mr: 2, nr: 12 },
    { mr: 2, nr: 16 },
    { mr: 8, nr: 4 },
    { mr: 4, nr: 8, unroll: 2 },
    { mr: 2, nr: 8, unroll: 3 },
  ])
    for (const [storage, over] of VARIANTS) check(matrix(storage, 11, 21, 5, { ...over, tile }), { seed: tile.nr });
});

test('convolutions: windows, strides, dilation', () => {
  const shape = { channels: 5, columns: 9, height: 9, width: 8, kernel: [3, 3], stride: 1, dilation: 1 } as const;
  for (const [storage, over] of VARIANTS)
    for (const change of [
      {},
      { stride: 2 },
      { dilation: 2 },
      { stride: 2, dilation: 2 },
      { kernel: [1, 3] },
      { kernel: [5, 2], channels: 3 },
      { kernel: [1, 1], stride: 2 },
      { channels: 3, columns: 32, stride: 2 },
    ] as const)
      check(convolution(storage, { ...shape, ...change }, over), { ties: true });
});

test('groups by offsets: outputs and inputs with gaps stay untouched', () => {
  const p = convolution('i16', {
    channels: 4,
    columns: 6,
    height: 5,
    width: 6,
    kernel: [3, 3],
    stride: 1,
    dilation: 1,
  });
  check({ ...p, outPix: 13, outRow: 4 * 13 + 5 });
  const pixel = { ySegments: 1, xSegments: 1, length: 3, yStride: 0, xStride: 0 };
  check(matrix('f32', 7, 5, 3, { taps: pixel, pixStride: 12, outPix: 10, outRow: 70 }));
});

test('extreme codes of both signs', () => {
  for (const epilogue of [REQUANTIZE, { ...REQUANTIZE, output: REALS }] as const)
    for (const [storage, over] of VARIANTS)
      if (storage !== 'f32')
        check(matrix(storage, 5, 10, 300, { ...over, epilogue }), { extreme: true, scale: 2 ** -18 });
});

test('residuals of both storages with their own strides', () => {
  for (const [storage, over] of VARIANTS)
    for (const residual of [
      { storage: 'i16', pix: 10, row: 50 },
      { storage: 'i8', pix: 11, row: 60 },
      { storage: 'f32', pix: 13, row: 70 },
    ] as const) {
      const base: Epilogue = over.epilogue ?? (storage === 'f32' ? FLOAT : REQUANTIZE);
      check(
        matrix(storage, 5, 10, 8, { rows: 3, rowStride: 40, outRow: 50, ...over, epilogue: { ...base, residual } }),
        {
          ties: true,
        },
      );
    }
});

test('a residual may be the output itself', () => {
  const p = matrix('i16', 6, 11, 4, { epilogue: { ...REQUANTIZE, residual: { storage: 'i16', pix: 11, row: 66 } } });
  const memory = new TestMemory(1, 1);
  const output = memory.i16(randomCodes(66, 3));
  const input = memory.i16(randomCodes(24, 1));
  const weights = memory.i16(packGemm(p, (n, _, k) => ((n * 7 + k * 5) % 31) - 15));
  const rest = placeEpilogue(memory, p.epilogue, { ...p, scale: 0.02, ties: false, seed: 1 });
  rest[2] = output;
  checkKernel(gemm, p, memory, [input, output, weights, ...rest]);
});

test('activations and roundings', () => {
  for (const activation of ACTIVATIONS) {
    check(matrix('i16', 3, 9, 8, { epilogue: { ...REQUANTIZE, activation } }), { scale: 2 ** -11, ties: true });
    check(matrix('f32', 3, 9, 8, { epilogue: { ...FLOAT, activation } }));
  }
  for (const proven of [true, false])
    check(matrix('i16', 5, 9, 8, { epilogue: { ...REQUANTIZE, output: { ...CODES, rounding: 'away', proven } } }), {
      ties: true,
    });
});

const arbitraryGemm = fc.record({
  variant: fc.constantFrom(...VARIANTS),
  channels: fc.integer({ min: 1, max: 9 }),
  columns: fc.integer({ min: 1, max: 20 }),
  kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  extra: fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 9 })),
  stride: fc.integer({ min: 1, max: 2 }),
  dilation: fc.integer({ min: 1, max: 2 }),
  gap: fc.integer({ min: 0, max: 3 }),
  seed: fc.nat(9999),
  ties: fc.boolean(),
  bias: fc.constantFrom('none', 'stored', 'f32'),
  residual: fc.constantFrom(null, 'i8', 'i16', 'f32'),
  real: fc.boolean(),
  small: fc.boolean(),
  rounding: fc.constantFrom('even', 'away'),
  proven: fc.boolean(),
});

test('random convolutions agree with the reference', () => {
  fc.assert(
    fc.property(arbitraryGemm, (c) => {
      const size = (i: 0 | 1): number => (c.kernel[i] - 1) * c.dilation + 1 + c.extra[i];
      const [storage, over] = c.variant;
      const plain = convolution(storage, { ...c, height: size(0), width: size(1) }, over);
      const outPix = c.columns + c.gap;
      const codes = storage !== 'f32';
      const epilogue: Epilogue = {
        sum: codes ? 'i32' : 'f32',
        bias: c.bias === 'stored' ? (codes ? 'i32' : 'f32') : c.bias,
        residual: c.residual && { storage: c.residual, pix: c.columns, row: plain.cols * c.columns },
        activation: null,
        output: codes && !c.real ? { storage: c.small ? 'i8' : 'i16', rounding: c.rounding, proven: c.proven } : REALS,
      };
      check({ ...plain, outPix, outRow: plain.cols * outPix, epilogue }, c);
    }),
    { numRuns: 150 },
  );
});

test.run();
