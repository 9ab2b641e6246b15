import { assert } from '../../support/errors.js';
import { type Epilogue, holdsCodes, type KernelDef, type Split, STORAGE_BYTES, type Storage } from '../kernel.js';
import { ARITHMETIC, type DepthwiseArithmetic, depthwiseLayout } from './depthwise-layout.js';
import { emitDepthwise } from './depthwise-tile.js';
import { readElement } from './elements.js';
import {
  addProduct,
  epilogueName,
  epilogueOffsets,
  epilogueReference,
  epilogueSignature,
  finishImage,
} from './epilogue.js';
import type { GemmTaps } from './gemm.js';
import { type PackedWeights, packedArray } from './packed-weights.js';

/**
 * Depthwise convolution on zero-padded NHWC input: out[y][x][c] = epilogue(sum over taps (ky, kx) of
 * in[y * rowStride + x * pixStride + ky * yStride + kx * xStride + c] * weight[c][ky * xSegments + kx]).
 * Strides are in elements; yStride and xStride hold the dilation, rowStride and pixStride the stride.
 *
 * Arguments: in, out, weights (packed by `packDepthwise`), then those of the epilogue. The bias and scale arrays are
 * padded to a multiple of 16 channels; inputs are read up to 15 channels past the last.
 */
export interface DepthwiseParams {
  readonly storage: Storage;
  readonly arithmetic: DepthwiseArithmetic;
  /** For the arithmetics that add in int16 (depthwise-layout.ts): steps per run, proven to fit (depthwise-runs.ts). */
  readonly runs: readonly number[];
  /** Those runs, by index, that start at numbers which lie behind the weights; only for `relaxed`. */
  readonly started?: readonly number[];
  readonly channels: number;
  readonly rows: number;
  readonly cols: number;
  readonly taps: Omit<GemmTaps, 'length'>;
  readonly pixStride: number;
  readonly rowStride: number;
  readonly outPix: number;
  readonly outRow: number;
  readonly epilogue: Epilogue;
}

/** Index of one weight in the packed order (depthwise-layout.ts). */
function packedIndex(p: DepthwiseParams, channel: number, tap: number): number {
  const { block, taps, blockSteps, groupTaps, steps } = depthwiseLayout(p);
  const inGroup = tap % groupTaps;
  const step = Math.floor(tap / groupTaps) * steps + Math.floor(inGroup / taps);
  const inBlock = channel % block;
  return ((channel - inBlock) * blockSteps + step * block + inBlock) * taps + (inGroup % taps);
}

/** Index of the low byte of where run `index` of `started` starts in a channel. */
function startIndex(p: DepthwiseParams, channel: number, index: number): number {
  const { block, taps, blockSteps, steps } = depthwiseLayout(p);
  const inBlock = channel % block;
  return ((channel - inBlock) * blockSteps + (steps + index) * block + inBlock) * taps;
}

/** Elements of the packed weights, rounded up to 16 so that `widen` can produce them. */
export function packedDepthwiseLength(p: DepthwiseParams): number {
  const { block, taps, blockSteps } = depthwiseLayout(p);
  return Math.ceil((Math.ceil(p.channels / block) * block * taps * blockSteps) / 16) * 16;
}

/**
 * Packs weights in the order of the kernel. `get(channel, tap)`, tap = ky * xSegments + kx, gives the centred code
 * (code - zeroPoint) or the real weight; the padding is 0. `starts` are those of all runs, per channel.
 */
export function packDepthwise(
  p: DepthwiseParams,
  get: (channel: number, tap: number) => number,
  starts: readonly Int16Array[] = [],
): PackedWeights {
  const packed = packedArray(ARITHMETIC[p.arithmetic].weights, packedDepthwiseLength(p));
  const taps = p.taps.ySegments * p.taps.xSegments;
  for (let channel = 0; channel < p.channels; channel++)
    for (let tap = 0; tap < taps; tap++) packed[packedIndex(p, channel, tap)] = get(channel, tap);
  (p.started ?? []).forEach((run, i) => {
    starts[run]?.forEach((start, channel) => {
      packed[startIndex(p, channel, i)] = start; // wraps to the low byte
      packed[startIndex(p, channel, i) + 1] = start >> 8;
    });
  });
  return packed;
}

/** A product of one tap costs about as much as three of a matrix product. */
const TAP_WORK = 3;

/** Parts are runs of rows, or of pixels where there is one row. */
function split(p: DepthwiseParams): Split<DepthwiseParams> {
  const [bytes, outBytes] = [STORAGE_BYTES[p.storage], STORAGE_BYTES[p.epilogue.output.storage]];
  const at = (y: number, x: number): number[] => [
    (y * p.rowStride + x * p.pixStride) * bytes,
    (y * p.outRow + x * p.outPix) * outBytes,
    0,
    ...epilogueOffsets(p.epilogue, { y, x, column: 0 }),
  ];
  const work = TAP_WORK * p.rows * p.cols * p.channels * p.taps.ySegments * p.taps.xSegments;
  return p.rows > 1
    ? { work, units: p.rows, part: (first, rows) => ({ params: { ...p, rows }, offsets: at(first, 0) }) }
    : { work, units: p.cols, part: (first, cols) => ({ params: { ...p, cols }, offsets: at(0, first) }) };
}

/** The convolution in plain code, reading the packed weights. */
function reference(p: DepthwiseParams, memory: ArrayBuffer, args: readonly number[]): void {
  const [input, output, weights, ...rest] = args as [number, number, number, ...number[]];
  const view = new DataView(memory);
  const end = epilogueReference(p.epilogue, view, rest);
  const codes = holdsCodes(p.storage);
  const ofWeights = ARITHMETIC[p.arithmetic].weights;
  const { ySegments, xSegments, yStride, xStride } = p.taps;
  const sum = (pixel: number, channel: number): number => {
    let acc = end.start(channel);
    (p.started ?? []).forEach((_, i) => {
      acc += view.getInt16(weights + startIndex(p, channel, i), true);
    });
    for (let tap = 0; tap < ySegments * xSegments; tap++) {
      const at = pixel + Math.floor(tap / xSegments) * yStride + (tap % xSegments) * xStride + channel;
      const weight = readElement(view, ofWeights, weights, packedIndex(p, channel, tap));
      const product = readElement(view, p.storage, input, at) * weight;
      acc = addProduct(codes, acc, product);
    }
    return acc;
  };
  finishImage(end, p, p.channels, output, sum);
}

/** Depthwise convolution. */
export const depthwise: KernelDef<DepthwiseParams> = {
  name: (p) => {
    const { arithmetic, taps } = p;
    const how = arithmetic === 'multiply' ? '-multiply' : '';
    const isa = arithmetic === 'relaxed' ? 'relaxed' : 'simd';
    return `${p.storage}-depthwise${how}-${taps.ySegments}x${taps.xSegments}-${epilogueName(p.epilogue)}-${isa}`;
  },
  signature: (p) => ({ params: ['i32', 'i32', 'i32', ...epilogueSignature(p.epilogue)] }),
  emit: (f, p) => {
    assert((p.arithmetic === 'float') === (p.storage === 'f32'), 'reals are multiplied as floats');
    assert(!p.started?.length || p.arithmetic === 'relaxed', 'only relaxed runs start beside 0');
    assert(p.arithmetic !== 'relaxed' || p.storage === 'i8', 'relaxed products need codes in 0..127');
    assert((p.epilogue.sum === 'i32') === holdsCodes(p.storage), 'codes are summed in i32, reals in f32');
    return emitDepthwise(f, p);
  },
  reference,
  split,
};
