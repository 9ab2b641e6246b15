import type { Stmt } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { type Epilogue, type KernelDef, type Split, STORAGE_BYTES } from '../kernel.js';
import { readElement } from './elements.js';
import { addProduct, epilogueName, epilogueOffsets, epilogueReference, epilogueSignature } from './epilogue.js';
import type { GemmParams } from './gemm.js';
import { GemmEmitter, type TileEnd } from './gemm-tile.js';
import { transformedInput } from './winograd-input.js';
import { WinogradOutput } from './winograd-output.js';
import {
  transformedBytes,
  WINOGRAD_COLUMNS,
  WINOGRAD_ELEMENTS,
  type WinogradStorage,
  winogradGroups,
  winogradLanes,
  winogradPlace,
  winogradTiles,
} from './winograd-weights.js';

/** Transformed sums of codes are this many times those of the convolution: their weights are transformed by 2G. */
export const WINOGRAD_FACTOR = 4;

/** Pixels (here: tiles) per register tile. */
const ROWS_PER_TILE = 4;

/**
 * The product and output transform of a block of `rows` x `cols` output pixels. Strides are in elements.
 * The epilogue's sums of codes are `WINOGRAD_FACTOR` times those of the convolution: scales and i32 biases are given for
 * them.
 */
export interface WinogradParams {
  readonly channels: number;
  readonly columns: number;
  readonly rows: number;
  readonly cols: number;
  readonly outPix: number;
  readonly outRow: number;
  readonly epilogue: Epilogue;
}

/** How V and U are stored. */
const storageOf = (p: WinogradParams): WinogradStorage => (p.epilogue.sum === 'f32' ? 'f32' : 'i16');

const tilesOf = (p: WinogradParams): number => Math.ceil(p.rows / 2) * Math.ceil(p.cols / 2);

/** Bytes of the sums M[element][tile][8 columns] of one column tile. */
export const winogradSumBytes = (p: WinogradParams): number => WINOGRAD_ELEMENTS * tilesOf(p) * WINOGRAD_COLUMNS * 4;

/** The 16 products of one column tile as rows of a matrix product: V[element] * U[column tile][element] -> M[element]. */
function productOf(p: WinogradParams): GemmParams {
  const tiles = tilesOf(p);
  const storage = storageOf(p);
  const v = transformedInput(storage, p.channels, tiles);
  return {
    storage,
    isa: 'simd',
    columns: WINOGRAD_COLUMNS,
    rows: WINOGRAD_ELEMENTS,
    cols: tiles,
    taps: { ySegments: 1, xSegments: 1, length: p.channels, yStride: 0, xStride: 0 },
    pixStride: v.tile,
    rowStride: v.element,
    outPix: WINOGRAD_COLUMNS,
    outRow: tiles * WINOGRAD_COLUMNS,
    tile: { mr: ROWS_PER_TILE, nr: WINOGRAD_COLUMNS },
    // sums are stored as they are, in 4 bytes
    epilogue: { sum: p.epilogue.sum, bias: 'none', residual: null, activation: null, output: { storage: 'f32' } },
  };
}

/** Starts sums at 0 and stores them as they are. */
const storeSums = (f: FunctionBuilder): TileEnd => ({
  setup: [],
  addresses: {},
  start: () => f.zero(),
  finish: ({ sums, out, outPix }) =>
    sums.flatMap((row, pixel) => row.map((sum, v) => f.store(out, sum, (pixel * outPix + 4 * v) * 4))),
});

function emit(f: FunctionBuilder, p: WinogradParams): Stmt[] {
  const product = new GemmEmitter(f, productOf(p), storeSums(f));
  const output = new WinogradOutput(f, p, f.param(1, 'i32'), f.param(3, 'i32'), 4);
  const full = Math.floor(p.columns / WINOGRAD_COLUMNS);
  const rest = p.columns % WINOGRAD_COLUMNS;
  const columnTile = (columns: number): Stmt[] => [
    ...product.columnTile(WINOGRAD_COLUMNS),
    ...output.columnTile(columns),
  ];
  return [
    ...output.setup,
    f.repeat(full, [...columnTile(WINOGRAD_COLUMNS), ...product.walk.step(0), ...output.walk.step(0)]),
    ...(rest > 0 ? columnTile(rest) : []),
  ];
}

/** Parts are runs of column tiles; all of them read V, and M is scratch of the part. */
function split(p: WinogradParams): Split<WinogradParams> {
  const outBytes = STORAGE_BYTES[p.epilogue.output.storage];
  const weightBytes = transformedBytes({ storage: storageOf(p), channels: p.channels, columns: WINOGRAD_COLUMNS });
  return {
    work: WINOGRAD_ELEMENTS * tilesOf(p) * p.channels * p.columns,
    units: winogradTiles(p),
    part(first, count) {
      const column = first * WINOGRAD_COLUMNS;
      return {
        params: { ...p, columns: Math.min(count * WINOGRAD_COLUMNS, p.columns - column) },
        offsets: [0, 0, first * weightBytes, column * outBytes, ...epilogueOffsets(p.epilogue, { y: 0, x: 0, column })],
      };
    },
  };
}

/** A^T applied to four values; int32 wraps, as the kernel's does. */
function outputs([a, b, c, d]: readonly number[], round: (x: number) => number): [number, number] {
  const [first, second] = [round(a! + b!), round(b! - c!)];
  return [round(first + c!), round(second - d!)];
}

/** The 16 sums of one tile and column. */
function products(p: WinogradParams, view: DataView, v: number, u: number, tile: number, column: number): number[] {
  const storage = storageOf(p);
  const layout = transformedInput(storage, p.channels, tilesOf(p));
  const shape = { ...p, storage };
  const groups = winogradGroups(shape);
  const firstOfTile = Math.floor(column / WINOGRAD_COLUMNS) * groups;
  return Array.from({ length: WINOGRAD_ELEMENTS }, (_, e) => {
    let sum = 0;
    for (let k = 0; k < p.channels; k++) {
      const { group, lane } = winogradPlace(shape, column, k);
      const at = WINOGRAD_ELEMENTS * firstOfTile + e * groups + group - firstOfTile;
      const weight = readElement(view, storage, u, at * winogradLanes(storage) + lane);
      const x = readElement(view, storage, v, e * layout.element + tile * layout.tile + k);
      sum = addProduct(storage === 'i16', sum, weight * x);
    }
    return sum;
  });
}

function reference(p: WinogradParams, memory: ArrayBuffer, args: readonly number[]): void {
  const [v, m, u, output, ...rest] = args as [number, number, number, number, ...number[]];
  const view = new DataView(memory);
  const end = epilogueReference(p.epilogue, view, rest);
  const tiles = tilesOf(p);
  const tileCols = Math.ceil(p.cols / 2);
  const codes = storageOf(p) === 'i16';
  const round = codes ? (x: number): number => x | 0 : Math.fround;
  for (let column = 0; column < winogradTiles(p) * WINOGRAD_COLUMNS; column++)
    for (let t = 0; t < tiles; t++) {
      const sums = products(p, view, v, u, t, column);
      sums.forEach((sum, e) => {
        const at = m + 4 * ((e * tiles + t) * WINOGRAD_COLUMNS + (column % WINOGRAD_COLUMNS));
        if (codes) view.setInt32(at, sum, true);
        else view.setFloat32(at, sum, true);
      });
      if (column >= p.columns) continue;
      sums[5] = round((sums[5] as number) + end.start(column));
      const columnsOfTile = [0, 1, 2, 3].map((j) =>
        outputs(
          [0, 1, 2, 3].map((i) => sums[4 * i + j] as number),
          round,
        ),
      );
      for (let i = 0; i < 2; i++)
        outputs(
          columnsOfTile.map((c) => c[i] as number),
          round,
        ).forEach((sum, j) => {
          const [y, x] = [2 * Math.floor(t / tileCols) + i, 2 * (t % tileCols) + j];
          if (y >= p.rows || x >= p.cols) return;
          end.finish(sum, { y, x, column }, output, y * p.outRow + x * p.outPix + column);
        });
    }
}

/**
 * Winograd convolution F(2x2, 3x3) behind the input transform: per tile of 8 columns 16 products over channels, whose
 * sums stay in the first cache level, then the output transform and the epilogue (Lavin and Gray, "Fast Algorithms for
 * Convolutional Neural Networks", 2016). With the weights of codes transformed by 2G everything is an integer and the sums
 * are 4 times those of the convolution: exact; int32 may wrap on the way, as only the last sum must fit. Reals round in
 * a fixed order.
 *
 * Arguments: V (of `winogradInput`), M (scratch), U (of `winogradWeights`), output, then those of the epilogue.
 */
export const winograd: KernelDef<WinogradParams> = {
  name: (p) => `${storageOf(p)}-winograd-${ROWS_PER_TILE}x${WINOGRAD_COLUMNS}-${epilogueName(p.epilogue)}-simd`,
  signature: (p) => ({ params: ['i32', 'i32', 'i32', 'i32', ...epilogueSignature(p.epilogue)] }),
  emit,
  reference,
  split,
};
