/** What else could multiply a convolution's operands: reals, pairs of i16, or relaxed dot products of i8. */
export type WinogradRival = 'f32' | 'i16' | 'relaxed';

/** Where Winograd F(2x2, 3x3) is faster than the direct product. */
export interface WinogradRow {
  /** The least number of input channels and of output columns: the transforms cost O(C + N) per tile, the product saves O(C * N). */
  readonly channels: number;
  /** The least height and width of the output: tiles of 2x2 pixels are computed whole. */
  readonly size: number;
  /** The most bytes of transformed weights, which every block reads. */
  readonly bytes: number;
  /** 2x2 tiles per block: sums of a column tile stay in the first cache level, transformed input in the second. */
  readonly tiles: number;
  /** By how much it is faster, Node 20, Node 24 (tools/bench/winograd.mts): size, channels, columns. */
  readonly measured?: Readonly<Record<string, string>>;
}

/** The limits for each rival: a layer has to be within all of them. */
export const WINOGRAD_TABLE: Readonly<Record<WinogradRival, WinogradRow>> = {
  f32: {
    channels: 8,
    size: 3,
    bytes: 32 << 20,
    tiles: 28,
    measured: {
      '56x56 64->64': '2.28, 2.36',
      '28x28 128->128': '2.33, 2.47',
      '14x14 256->256': '2.42, 2.39',
      '7x7 512->512': '1.77, 2.14',
      '64x64 8->8': '1.60, 1.66',
      '3x3 256->256': '1.49, 1.53',
    },
  },
  i16: {
    channels: 16,
    size: 4,
    bytes: 16 << 20,
    tiles: 56,
    measured: {
      '56x56 64->64': '2.31',
      '28x28 128->128': '2.30',
      '14x14 256->256': '2.40',
      '7x7 512->512': '1.52',
      '64x64 12->12': '1.32',
      '3x3 256->256': '1.42',
    },
  },
  // half the products per instruction saved, weights in one byte each: more are not worth reading
  relaxed: {
    channels: 16,
    size: 4,
    bytes: 4 << 20,
    tiles: 56,
  },
};
