import type { Epilogue, KernelDef, Storage } from '../kernel.js';
import type { GemmTaps } from './gemm.js';

/**
 * Depthwise convolution on zero-padded NHWC input: out[y][x][c] = epilogue(sum over taps (ky, kx) of
 * in[y * rowStride + x * pixStride + ky * yStride + kx * xStride + c] * weight[c][ky * xSegments + kx]).
 * Strides are in elements; dilation is in yStride and xStride, the stride of the convolution in rowStride and pixStride.
 *
 * Arguments: in, out, weights (packed by `packDepthwise`), then those of the epilogue. The bias and scale arrays are
 * padded to a multiple of 8 channels.
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

export declare function packDepthwise(
  p: DepthwiseParams,
  get: (channel: number, tap: number) => number,
): Int16Array | Float32Array;

export declare const depthwise: KernelDef<DepthwiseParams>;
