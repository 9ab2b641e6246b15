import type { Local, Stmt } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { type CodeStorage, type KernelDef, STORAGE_BYTES } from '../kernel.js';
import { loadCodes8 } from './codes.js';
import { readElement } from './elements.js';

/**
 * A matrix of codes that is computed at run time, put in the order in which `gemm` reads weights with i16 pairs
 * (`packGemm`): [tile of 8 columns][pair of k][column][k of the pair], the last tile cut to a multiple of 4 columns,
 * an odd k filled with 0.
 *
 * Arguments: source, target, byte addresses. One of the strides is 1. The columns that fill up the last tile hold what
 * lies behind a row (up to 14 bytes of it) where the columns are contiguous, else 0.
 */
export interface PackParams {
  readonly storage: CodeStorage;
  readonly k: number;
  readonly n: number;
  /** Elements between neighbouring k and between neighbouring columns. */
  readonly kStride: number;
  readonly nStride: number;
}

/** Columns per tile: what `gemm` is to be called with. */
export const PACK_COLUMNS = 8;

/** Columns of the packed matrix. */
const packedColumns = (n: number): number => Math.ceil(n / 4) * 4;

/** Elements of the packed matrix; each is an i16. */
export const packedLength = ({ k, n }: Pick<PackParams, 'k' | 'n'>): number => packedColumns(n) * 2 * Math.ceil(k / 2);

const LOW_PAIRS = [0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23];
const HIGH_PAIRS = LOW_PAIRS.map((i) => i + 8);

/** Emits the packing of one tile; `source` is at its first column and is left anywhere, `target` moves behind it. */
type TileOf = (
  f: FunctionBuilder,
  p: PackParams,
  source: Local<'i32'>,
  target: Local<'i32'>,
  columns: number,
) => Stmt[];

/** Columns are contiguous: two rows of k are interleaved. */
const rowsTile: TileOf = (f, p, source, target, columns) => {
  const bytes = STORAGE_BYTES[p.storage];
  const [even, odd] = [f.local('v128'), f.local('v128')];
  const pair = (second: boolean): Stmt[] => [
    even.set(loadCodes8(f, p.storage, source)),
    odd.set(second ? loadCodes8(f, p.storage, source, p.kStride * bytes) : f.zero()),
    f.store(target, f.shuffle(even, odd, LOW_PAIRS)),
    ...(columns > 4 ? [f.store(target, f.shuffle(even, odd, HIGH_PAIRS), 16)] : []),
    f.advance(target, columns > 4 ? 32 : 16),
  ];
  return [
    f.repeat(Math.floor(p.k / 2), [...pair(true), f.advance(source, 2 * p.kStride * bytes)]),
    ...(p.k % 2 ? pair(false) : []),
  ];
};

/** k is contiguous: the pairs of four columns are gathered. */
const columnsTile: TileOf = (f, p, source, target, columns) => {
  const bytes = STORAGE_BYTES[p.storage];
  const load = p.storage === 'i16' ? 'load32_lane' : 'load16_lane';
  const pairs = f.local('v128');
  const low = f.bytes([255, 255, 0, 0, 255, 255, 0, 0, 255, 255, 0, 0, 255, 255, 0, 0]);
  const four = (first: number, whole: boolean): Stmt[] => [
    pairs.set(f.zero()),
    ...Array.from({ length: Math.min(4, columns - first) }, (_, c) =>
      pairs.set(f.loadLane(load, source, pairs, c, (first + c) * p.nStride * bytes)),
    ),
    ...(p.storage === 'i8' ? [pairs.set(f.unary('i16x8', 'extend_low_i8x16_s', pairs))] : []),
    f.store(target, whole ? pairs : f.bitwise('and', pairs, low)),
    f.advance(target, 16),
  ];
  const step = (whole: boolean): Stmt[] => [...four(0, whole), ...(columns > 4 ? four(4, whole) : [])];
  return [
    f.repeat(Math.floor(p.k / 2), [...step(true), f.advance(source, 2 * bytes)]),
    ...(p.k % 2 ? step(false) : []),
  ];
};

function emit(f: FunctionBuilder, p: PackParams): Stmt[] {
  const [from, target] = [f.param(0, 'i32'), f.param(1, 'i32')];
  const source = f.local('i32');
  const tile = p.nStride === 1 ? rowsTile : columnsTile;
  const rest = p.n % PACK_COLUMNS;
  const one = (columns: number): Stmt[] => [
    source.set(from),
    ...tile(f, p, source, target, columns),
    f.advance(from, PACK_COLUMNS * p.nStride * STORAGE_BYTES[p.storage]),
  ];
  return [f.repeat(Math.floor(p.n / PACK_COLUMNS), one(PACK_COLUMNS)), ...(rest ? one(rest) : [])];
}

function reference(p: PackParams, memory: ArrayBuffer, args: readonly number[]): void {
  const [source, target] = args as [number, number];
  const view = new DataView(memory);
  const all = packedColumns(p.n);
  const pairs = Math.ceil(p.k / 2);
  for (let column = 0; column < all; column++) {
    const first = column - (column % PACK_COLUMNS);
    const width = Math.min(PACK_COLUMNS, all - first);
    for (let k = 0; k < 2 * pairs; k++) {
      const filled = k >= p.k || (column >= p.n && p.nStride !== 1);
      const code = filled ? 0 : readElement(view, p.storage, source, k * p.kStride + column * p.nStride);
      const at = first * 2 * pairs + (Math.floor(k / 2) * width + (column % PACK_COLUMNS)) * 2 + (k % 2);
      view.setInt16(target + 2 * at, code, true);
    }
  }
}

/** Computed matrices in the order of packed weights; see `PackParams`. */
export const packKernel: KernelDef<PackParams> = {
  name: (p) => `${p.storage}-pack-${p.nStride === 1 ? 'rows' : 'columns'}-simd`,
  signature: () => ({ params: ['i32', 'i32'] }),
  emit,
  reference,
};
