import { assert } from '../../support/errors.js';
import {
  type Epilogue,
  holdsCodes,
  type Isa,
  type KernelDef,
  type Split,
  STORAGE_BYTES,
  type Storage,
} from '../kernel.js';
import { readElement } from './elements.js';
import {
  addProduct,
  epilogueName,
  epilogueOffsets,
  epilogueReference,
  epilogueSignature,
  finishImage,
} from './epilogue.js';
import { canGroup, EXTRA_HEADER, readExtras } from './gemm-groups.js';
import { isGrouped, kPerStep, stepsPerSegment, weightStorage } from './gemm-layout.js';
import { emitGemm } from './gemm-tile.js';
import { type PackedWeights, packedArray } from './packed-weights.js';

/**
 * The inputs of one output pixel: ySegments x xSegments runs of `length` contiguous elements, `yStride` and
 * `xStride` elements apart. Segments are numbered row by row: ky * xSegments + kx.
 */
export interface GemmTaps {
  readonly ySegments: number;
  readonly xSegments: number;
  readonly length: number;
  readonly yStride: number;
  readonly xStride: number;
}

/** Output pixels x output columns that are computed together in registers; `nr` is a multiple of 4. */
export interface GemmTile {
  readonly mr: number;
  readonly nr: number;
  /** Steps of K per iteration of the innermost loop; 1 by default. */
  readonly unroll?: number;
  /**
   * Steps whose relaxed products are added in int16 before they are widened, instead of `unroll`; 1 by default. More only with
   * weights of which `takeExtraSteps` took what does not fit, and a table of these extra steps.
   */
  readonly group?: number;
}

/**
 * Matrix product over implicit rows: out[y][x][n] = epilogue(sum over segments s and k of
 * in[y * rowStride + x * pixStride + offset(s) + k] * weight[n][s][k]). It serves convolutions on zero-padded
 * NHWC input, fully connected layers and matrix products. All strides are in elements.
 *
 * Arguments: in, out, weights (packed by `packGemm`), with groups the table of extra steps, then those of the epilogue. The bias and scale arrays are
 * padded to a multiple of 4 columns. Segments are read up to the next whole step: 2 codes, or 4 with relaxed SIMD.
 *
 * Codes are multiplied as pairs of i16; with relaxed SIMD four i8 at a time, which needs i8 storage (0..127) and centred
 * weights in -128..127: then 2 * 127 * 128 fits int16 and the relaxed dot product is exact and equal on all engines.
 */
export interface GemmParams {
  readonly storage: Storage;
  /** relaxed: four products per step; only for i8 storage. */
  readonly isa: Isa;
  /** Output channels. */
  readonly columns: number;
  /** Output rows and output pixels per row. */
  readonly rows: number;
  readonly cols: number;
  readonly taps: GemmTaps;
  /** Input elements between neighbouring output pixels and output rows. */
  readonly pixStride: number;
  readonly rowStride: number;
  /** Output elements between neighbouring pixels and rows. */
  readonly outPix: number;
  readonly outRow: number;
  readonly tile: GemmTile;
  readonly epilogue: Epilogue;
}

/** Columns that the packed weights of the tile starting at `column` hold: the last one is cut to a multiple of 4. */
const tileWidth = (p: GemmParams, column: number): number =>
  Math.min(p.tile.nr, Math.ceil((p.columns - column) / 4) * 4);

/** Elements of packed weights per column. */
const weightsPerColumn = (p: GemmParams): number =>
  p.taps.ySegments * p.taps.xSegments * stepsPerSegment(p) * kPerStep(p);

/** Where the weights of one column lie in the packed order [tile][segment][k step][column of the tile][k of the step]. */
function packedColumn(p: GemmParams, column: number) {
  const inTile = column % p.tile.nr;
  const first = column - inTile;
  const pair = kPerStep(p);
  const start = first * weightsPerColumn(p) + inTile * pair;
  return { start, pair, stepStride: tileWidth(p, first) * pair, steps: stepsPerSegment(p) };
}

/** Index of weight `k` of a segment in a packed column. */
const packedIndex = (c: ReturnType<typeof packedColumn>, segment: number, k: number): number =>
  c.start + (segment * c.steps + Math.floor(k / c.pair)) * c.stepStride + (k % c.pair);

/** Elements of the packed weights, rounded up to 16 so that `widen` can produce them. */
export const packedGemmLength = (p: GemmParams): number =>
  Math.ceil((Math.ceil(p.columns / 4) * 4 * weightsPerColumn(p)) / 16) * 16;

/**
 * Packs weights in the order of the kernel. `get(column, segment, k)` gives the centred code (code - zeroPoint) or
 * the real weight; the padding is 0.
 */
export function packGemm(p: GemmParams, get: (column: number, segment: number, k: number) => number): PackedWeights {
  const packed = packedArray(weightStorage(p), packedGemmLength(p));
  const segments = p.taps.ySegments * p.taps.xSegments;
  for (let column = 0; column < p.columns; column++) {
    const at = packedColumn(p, column);
    for (let segment = 0; segment < segments; segment++)
      for (let k = 0; k < p.taps.length; k++) packed[packedIndex(at, segment, k)] = get(column, segment, k);
  }
  return packed;
}

/**
 * Weights of relaxed products as `weave` makes them of what the product of i16 pairs with tiles of `nr` columns stores:
 * those packed codes, the bytes of the result, and the arguments behind source and target.
 */
export function wovenGemm(
  p: GemmParams,
  nr: number,
  get: (column: number, segment: number, k: number) => number,
): { readonly codes: Int16Array; readonly bytes: number; readonly args: readonly number[] } {
  const pairs: GemmParams = { ...p, isa: 'simd', storage: 'i16', tile: { ...p.tile, nr } };
  const segments = p.taps.ySegments * p.taps.xSegments;
  return {
    codes: packGemm(pairs, get) as Int16Array,
    bytes: packedGemmLength(p),
    args: [Math.ceil(p.columns / 4), nr / 4, p.tile.nr / 4, segments, stepsPerSegment(pairs)],
  };
}

/** The same product with rows joined to one where input, output and residual allow it, so that tiles cross rows. */
export function joinRows<P extends Omit<GemmParams, 'tile'>>(p: P): P {
  const { residual } = p.epilogue;
  const joinable =
    p.rowStride === p.cols * p.pixStride &&
    p.outRow === p.cols * p.outPix &&
    (residual === null || residual.row === p.cols * residual.pix);
  return joinable || p.rows === 1 ? { ...p, rows: 1, cols: p.rows * p.cols } : p;
}

/** The extra steps of all column tiles, from the table at `at`. */
const extraTiles = (p: GemmParams, view: DataView, at: number) =>
  Array.from({ length: Math.ceil(p.columns / p.tile.nr) }, (_, tile) => readExtras(view, at + tile * EXTRA_HEADER));

/** Weights of this size stay in the second cache level, beside the images of a part. */
const CACHED_BYTES = 256 << 10;

/**
 * Parts are runs of pixels or of rows: a thread then finds the rows that it wrote in its cache. Where weights do not fit in
 * there and are larger than the input, parts are runs of column tiles: every part reads all of the other operand.
 */
function split(given: GemmParams): Split<GemmParams> {
  const p = joinRows(given);
  const { mr, nr } = p.tile;
  const perColumn = weightsPerColumn(p);
  const [bytes, outBytes] = [STORAGE_BYTES[p.storage], STORAGE_BYTES[p.epilogue.output.storage]];
  const weightBytes = STORAGE_BYTES[weightStorage(p)];
  const work = p.rows * p.cols * p.columns * perColumn;
  const at = (y: number, x: number, column: number): number[] => [
    (y * p.rowStride + x * p.pixStride) * bytes,
    (y * p.outRow + x * p.outPix + column) * outBytes,
    column * perColumn * weightBytes,
    ...(isGrouped(p) ? [(column / nr) * EXTRA_HEADER] : []),
    ...epilogueOffsets(p.epilogue, { y, x, column }),
  ];
  const inputBytes =
    p.rows * p.cols * Math.min(p.taps.length * p.taps.ySegments * p.taps.xSegments, p.pixStride) * bytes;
  const byColumns = p.columns * perColumn * weightBytes > Math.max(inputBytes, CACHED_BYTES);
  if (byColumns && p.columns >= 2 * nr)
    return {
      work,
      units: Math.ceil(p.columns / nr),
      part: (first, count) => ({
        params: { ...p, columns: Math.min(count * nr, p.columns - first * nr) },
        offsets: at(0, 0, first * nr),
      }),
    };
  if (p.rows > 1)
    return { work, units: p.rows, part: (first, rows) => ({ params: { ...p, rows }, offsets: at(first, 0, 0) }) };
  return {
    work,
    units: Math.ceil(p.cols / mr),
    part: (first, count) => ({
      params: { ...p, cols: Math.min(count * mr, p.cols - first * mr) },
      offsets: at(0, first * mr, 0),
    }),
  };
}

/** The product in plain code, reading the packed weights. */
function reference(p: GemmParams, memory: ArrayBuffer, args: readonly number[]): void {
  const [input, output, weights] = args as [number, number, number];
  const view = new DataView(memory);
  const end = epilogueReference(p.epilogue, view, args.slice(isGrouped(p) ? 4 : 3));
  const extras = isGrouped(p) ? extraTiles(p, view, args[3] as number) : [];
  const codes = holdsCodes(p.storage);
  const ofWeights = weightStorage(p);
  const { ySegments, xSegments, length, yStride, xStride } = p.taps;
  const sum = (pixel: number, column: number): number => {
    let acc = end.start(column);
    const at = packedColumn(p, column);
    for (let s = 0; s < ySegments * xSegments; s++) {
      const from = pixel + Math.floor(s / xSegments) * yStride + (s % xSegments) * xStride;
      for (let k = 0; k < length; k++) {
        const x = readElement(view, p.storage, input, from + k);
        const product = x * readElement(view, ofWeights, weights, packedIndex(at, s, k));
        acc = addProduct(codes, acc, product);
      }
    }
    for (const extra of extras[Math.floor(column / p.tile.nr)] ?? [])
      for (let k = 0; k < kPerStep(p); k++) {
        const x = readElement(view, p.storage, input, pixel + extra.y * yStride + extra.x * xStride + extra.k + k);
        acc += x * view.getInt8(extra.weights + (column % p.tile.nr) * kPerStep(p) + k);
      }
    return acc;
  };
  finishImage(end, p, p.columns, output, sum);
}

/** `4x8`, or `4x8g2` with groups of two steps. */
const tileName = (p: GemmParams): string => `${p.tile.mr}x${p.tile.nr}${isGrouped(p) ? `g${p.tile.group}` : ''}`;

/** Implicit matrix product: convolution, fully connected, matmul. */
export const gemm: KernelDef<GemmParams> = {
  name: (p) => `${p.storage}-gemm-${tileName(p)}-${epilogueName(p.epilogue)}-${p.isa}`,
  signature: (p) => ({
    params: ['i32', 'i32', 'i32', ...(isGrouped(p) ? ['i32' as const] : []), ...epilogueSignature(p.epilogue)],
  }),
  emit: (f, p) => {
    assert(p.tile.nr % 4 === 0, 'tile columns come in vectors of 4');
    assert(p.isa === 'simd' || p.storage === 'i8', 'relaxed products need codes in 0..127');
    assert(!isGrouped(p) || canGroup(p), 'only relaxed products of narrow tiles are grouped');
    assert((p.epilogue.sum === 'i32') === holdsCodes(p.storage), 'codes are summed in i32, reals in f32');
    return emitGemm(f, joinRows(p));
  },
  reference,
  split,
};
