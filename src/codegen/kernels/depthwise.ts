import { assert } from '../../support/errors.js';
import type { Epilogue, KernelDef, Storage } from '../kernel.js';
import { depthwiseLayout, emitDepthwise } from './depthwise-tile.js';
import { epilogueName, epilogueReference, epilogueSignature } from './epilogue.js';
import type { GemmTaps } from './gemm.js';

/**
 * Depthwise convolution on zero-padded NHWC input: out[y][x][c] = epilogue(sum over taps (ky, kx) of
 * in[y * rowStride + x * pixStride + ky * yStride + kx * xStride + c] * weight[c][ky * xSegments + kx]).
 * Strides are in elements; yStride and xStride hold the dilation, rowStride and pixStride the stride.
 *
 * Arguments: in, out, weights (packed by `packDepthwise`), then those of the epilogue. The bias and scale arrays are
 * padded to a multiple of 8 channels; inputs are read up to 8 channels past the last.
 */
export interface DepthwiseParams {
  readonly storage: Storage;
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

/** Index of one weight in the packed order (depthwise-tile.ts). */
function packedIndex(p: DepthwiseParams, channel: number, tap: number): number {
  const { block, groupTaps, steps, vectors } = depthwiseLayout(p);
  const pair = p.storage === 'i16' ? 2 : 1;
  const inGroup = tap % groupTaps;
  const step = Math.floor(tap / groupTaps) * steps + Math.floor(inGroup / pair);
  const inBlock = channel % block;
  return (((channel - inBlock) / block) * vectors * 4 + step * block) * pair + inBlock * pair + (inGroup % pair);
}

/** Elements of the packed weights, rounded up to 16 so that `widen` can produce them. */
export function packedDepthwiseLength(p: DepthwiseParams): number {
  const { block, vectors } = depthwiseLayout(p);
  const vectorLength = p.storage === 'i16' ? 8 : 4;
  return Math.ceil((Math.ceil(p.channels / block) * vectors * vectorLength) / 16) * 16;
}

/**
 * Packs weights in the order of the kernel. `get(channel, tap)`, tap = ky * xSegments + kx, gives the centred code
 * (code - zeroPoint) or the real weight; the padding is 0.
 */
export function packDepthwise(
  p: DepthwiseParams,
  get: (channel: number, tap: number) => number,
): Int16Array | Float32Array {
  const length = packedDepthwiseLength(p);
  const packed = p.storage === 'i16' ? new Int16Array(length) : new Float32Array(length);
  const taps = p.taps.ySegments * p.taps.xSegments;
  for (let channel = 0; channel < p.channels; channel++)
    for (let tap = 0; tap < taps; tap++) packed[packedIndex(p, channel, tap)] = get(channel, tap);
  return packed;
}

/** The convolution in plain code, reading the packed weights. */
function reference(p: DepthwiseParams, memory: ArrayBuffer, args: readonly number[]): void {
  const [input, output, weights, ...rest] = args as [number, number, number, ...number[]];
  const view = new DataView(memory);
  const end = epilogueReference(p.epilogue, view, rest);
  const codes = p.storage === 'i16';
  const read = (base: number, index: number): number =>
    codes ? view.getInt16(base + 2 * index, true) : view.getFloat32(base + 4 * index, true);
  const { ySegments, xSegments, yStride, xStride } = p.taps;
  const sum = (pixel: number, channel: number): number => {
    let acc = end.start(channel);
    for (let tap = 0; tap < ySegments * xSegments; tap++) {
      const at = pixel + Math.floor(tap / xSegments) * yStride + (tap % xSegments) * xStride + channel;
      const product = read(input, at) * read(weights, packedIndex(p, channel, tap));
      acc = codes ? (acc + product) | 0 : Math.fround(acc + Math.fround(product));
    }
    return acc;
  };
  for (let y = 0; y < p.rows; y++)
    for (let x = 0; x < p.cols; x++)
      for (let column = 0; column < p.channels; column++)
        end.finish(
          sum(y * p.rowStride + x * p.pixStride, column),
          { y, x, column },
          output,
          y * p.outRow + x * p.outPix + column,
        );
}

/** Depthwise convolution. */
export const depthwise: KernelDef<DepthwiseParams> = {
  name: (p) => `${p.storage}-depthwise-${p.taps.ySegments}x${p.taps.xSegments}-${epilogueName(p.epilogue)}-simd`,
  signature: (p) => ({ params: ['i32', 'i32', 'i32', ...epilogueSignature(p.epilogue)] }),
  emit: (f, p) => {
    assert((p.epilogue.sum === 'i32') === (p.storage === 'i16'), 'codes are summed in i32, reals in f32');
    return emitDepthwise(f, p);
  },
  reference,
};
