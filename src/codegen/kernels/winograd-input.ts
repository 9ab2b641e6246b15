import type { Local, Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { type KernelDef, type Split, STORAGE_BYTES, type Storage } from '../kernel.js';
import { loadCodes8 } from './codes.js';
import { readElement, writeElement } from './elements.js';
import { WINOGRAD_ELEMENTS, type WinogradStorage, winogradLanes } from './winograd-weights.js';

/**
 * The input of `tileRows` x `tileCols` tiles of F(2x2, 3x3): windows of 4x4 pixels, 2 pixels apart. Strides are in
 * elements, channels lie innermost. Up to 7 elements (of reals 3) behind the channels of a pixel are read.
 */
export interface WinogradInputParams {
  /** How the input is stored; V is i16 for codes. */
  readonly storage: Storage;
  readonly channels: number;
  readonly tileRows: number;
  readonly tileCols: number;
  readonly pixStride: number;
  readonly rowStride: number;
  /** Of a part: tiles of the whole V, which this writes a run of. */
  readonly allTiles?: number;
}

/** How the transformed input is stored. */
export const transformedStorage = (storage: Storage): WinogradStorage => (storage === 'f32' ? 'f32' : 'i16');

/** The layout of the V that is written to. */
const layoutOf = (p: WinogradInputParams): TransformedInput =>
  transformedInput(transformedStorage(p.storage), p.channels, p.allTiles ?? p.tileRows * p.tileCols);

/** The shape of transformed input V[element][tile][channel], in elements. */
export interface TransformedInput {
  /** Between tiles: channels in full vectors. What lies behind the channels is anything. */
  readonly tile: number;
  /** Between the 16 elements. */
  readonly element: number;
  readonly length: number;
}

/** The layout of V; elements are kept off multiples of 2 KiB, where 16 of them would share few cache sets. */
export function transformedInput(storage: WinogradStorage, channels: number, tiles: number): TransformedInput {
  const lanes = winogradLanes(storage);
  const tile = Math.ceil(channels / lanes) * lanes;
  const element = tiles * tile + ((tiles * tile) % (128 * lanes) === 0 ? 4 * lanes : 0);
  return { tile, element, length: WINOGRAD_ELEMENTS * element };
}

/** The rows of B^T of Lavin and Gray: one sum or difference of two of four values each. */
const COMBINATIONS = [
  { a: 0, b: 2, op: 'sub' },
  { a: 1, b: 2, op: 'add' },
  { a: 2, b: 1, op: 'sub' },
  { a: 1, b: 3, op: 'sub' },
] as const;

/** B^T d B of one window and a vector of channels; d is read from memory twice rather than kept in registers. */
function emitWindow(f: FunctionBuilder, p: WinogradInputParams, from: Local<'i32'>, to: Local<'i32'>): Stmt[] {
  const storage = transformedStorage(p.storage);
  const { element } = layoutOf(p);
  const row = f.vectors(4);
  const load = (y: number, x: number): V128 => {
    const offset = (y * p.rowStride + x * p.pixStride) * STORAGE_BYTES[p.storage];
    return p.storage === 'f32' ? f.load(from, offset) : loadCodes8(f, p.storage, from, offset);
  };
  const shape = storage === 'f32' ? 'f32x4' : 'i16x8';
  return COMBINATIONS.flatMap((vertical, i) => [
    ...row.map((value, x) => value.set(f.op(shape, vertical.op, load(vertical.a, x), load(vertical.b, x)))),
    ...COMBINATIONS.map(({ a, b, op }, j) =>
      f.store(to, f.op(shape, op, row[a] as V128, row[b] as V128), (4 * i + j) * element * STORAGE_BYTES[storage]),
    ),
  ]);
}

function emit(f: FunctionBuilder, p: WinogradInputParams): Stmt[] {
  const [from, to] = [f.param(0, 'i32'), f.param(1, 'i32')];
  const lanes = winogradLanes(transformedStorage(p.storage));
  const vectors = Math.ceil(p.channels / lanes);
  const bytes = STORAGE_BYTES[p.storage];
  return [
    f.repeat(p.tileRows, [
      f.repeat(p.tileCols, [
        f.repeat(vectors, [...emitWindow(f, p, from, to), f.advance(from, bytes * lanes), f.advance(to, 16)]),
        f.advance(from, bytes * (2 * p.pixStride - lanes * vectors)),
      ]),
      f.advance(from, 2 * bytes * (p.rowStride - p.tileCols * p.pixStride)),
    ]),
  ];
}

/** What a channel of a window costs: 16 reads, 32 sums, 16 writes. */
const WINDOW_WORK = 64;

/** Parts are runs of tile rows. */
function split(p: WinogradInputParams): Split<WinogradInputParams> {
  const bytes = STORAGE_BYTES[p.storage];
  const allTiles = p.tileRows * p.tileCols;
  return {
    work: WINDOW_WORK * allTiles * p.channels,
    units: p.tileRows,
    part: (first, tileRows) => ({
      params: { ...p, tileRows, allTiles },
      offsets: [
        2 * first * p.rowStride * bytes,
        first * p.tileCols * layoutOf(p).tile * STORAGE_BYTES[transformedStorage(p.storage)],
      ],
    }),
  };
}

function reference(p: WinogradInputParams, memory: ArrayBuffer, args: readonly number[]): void {
  const [input, output] = args as [number, number];
  const view = new DataView(memory);
  const storage = transformedStorage(p.storage);
  const { tile, element } = layoutOf(p);
  // sums of codes fit: only those of reals are rounded
  const combine = (d: readonly number[]): number[] =>
    COMBINATIONS.map(({ a, b, op }) => Math.fround(op === 'add' ? d[a]! + d[b]! : d[a]! - d[b]!));
  for (let t = 0; t < p.tileRows * p.tileCols; t++)
    for (let c = 0; c < tile; c++) {
      const [y, x] = [2 * Math.floor(t / p.tileCols), 2 * (t % p.tileCols)];
      const at = y * p.rowStride + x * p.pixStride + c;
      const read = (i: number, j: number): number =>
        readElement(view, p.storage, input, at + i * p.rowStride + j * p.pixStride);
      const columns = [0, 1, 2, 3].map((j) => combine([0, 1, 2, 3].map((i) => read(i, j))));
      const rows = [0, 1, 2, 3].map((i) => combine(columns.map((column) => column[i] as number)));
      rows.flat().forEach((value, e) => {
        writeElement(view, storage, output, e * element + t * tile + c, value);
      });
    }
}

/**
 * The input transform of F(2x2, 3x3), B^T d B (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks",
 * 2016), to V[element][tile][channel]. Centred codes grow to at most 4 * 255.
 * Arguments: input (the first pixel of the first window), V.
 */
export const winogradInput: KernelDef<WinogradInputParams> = {
  name: (p) => `${p.storage}-winograd-input-simd`,
  signature: () => ({ params: ['i32', 'i32'] }),
  emit,
  reference,
  split,
};
