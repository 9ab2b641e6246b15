import type { Local, Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { type CodeStorage, type KernelDef, STORAGE_BYTES } from '../kernel.js';
import { loadCodes8 } from './codes.js';
import { WINOGRAD_ELEMENTS } from './winograd-weights.js';

/** Channels that are transformed side by side. */
const LANES = 8;

/**
 * The input of `tileRows` x `tileCols` tiles of F(2x2, 3x3): windows of 4x4 pixels, 2 pixels apart. Strides are in
 * elements, channels lie innermost. Up to 7 elements behind the channels of a pixel are read.
 */
export interface WinogradInputParams {
  /** How the input is stored; V is i16. */
  readonly storage: CodeStorage;
  readonly channels: number;
  readonly tileRows: number;
  readonly tileCols: number;
  readonly pixStride: number;
  readonly rowStride: number;
}

/** The shape of transformed input V[element][tile][channel], in elements. */
export interface TransformedInput {
  /** Between tiles: channels in full vectors. What lies behind the channels is anything. */
  readonly tile: number;
  /** Between the 16 elements. */
  readonly element: number;
  readonly length: number;
}

/** The layout of V; elements are kept off multiples of 2 KiB, where 16 of them would share few cache sets. */
export function transformedInput(channels: number, tiles: number): TransformedInput {
  const tile = Math.ceil(channels / LANES) * LANES;
  const element = tiles * tile + ((tiles * tile) % 1024 === 0 ? 32 : 0);
  return { tile, element, length: WINOGRAD_ELEMENTS * element };
}

/** The rows of B^T of Lavin and Gray: one sum or difference of two of four values each. */
const COMBINATIONS = [
  { a: 0, b: 2, op: 'sub' },
  { a: 1, b: 2, op: 'add' },
  { a: 2, b: 1, op: 'sub' },
  { a: 1, b: 3, op: 'sub' },
] as const;

/** B^T d B of one window and 8 channels; d is read from memory twice rather than kept in registers. */
function emitWindow(f: FunctionBuilder, p: WinogradInputParams, from: Local<'i32'>, to: Local<'i32'>): Stmt[] {
  const { element } = transformedInput(p.channels, p.tileRows * p.tileCols);
  const row = f.vectors(4);
  const bytes = STORAGE_BYTES[p.storage];
  const load = (y: number, x: number): V128 =>
    loadCodes8(f, p.storage, from, (y * p.rowStride + x * p.pixStride) * bytes);
  return COMBINATIONS.flatMap((vertical, i) => [
    ...row.map((value, x) => value.set(f.op('i16x8', vertical.op, load(vertical.a, x), load(vertical.b, x)))),
    ...COMBINATIONS.map(({ a, b, op }, j) =>
      f.store(to, f.op('i16x8', op, row[a] as V128, row[b] as V128), (4 * i + j) * element * 2),
    ),
  ]);
}

function emit(f: FunctionBuilder, p: WinogradInputParams): Stmt[] {
  const [from, to] = [f.param(0, 'i32'), f.param(1, 'i32')];
  const vectors = Math.ceil(p.channels / LANES);
  const bytes = STORAGE_BYTES[p.storage];
  return [
    f.repeat(p.tileRows, [
      f.repeat(p.tileCols, [
        f.repeat(vectors, [...emitWindow(f, p, from, to), f.advance(from, bytes * LANES), f.advance(to, 2 * LANES)]),
        f.advance(from, bytes * (2 * p.pixStride - LANES * vectors)),
      ]),
      f.advance(from, 2 * bytes * (p.rowStride - p.tileCols * p.pixStride)),
    ]),
  ];
}

function reference(p: WinogradInputParams, memory: ArrayBuffer, args: readonly number[]): void {
  const [input, output] = args as [number, number];
  const view = new DataView(memory);
  const { tile, element } = transformedInput(p.channels, p.tileRows * p.tileCols);
  const combine = (d: readonly number[]): number[] =>
    COMBINATIONS.map(({ a, b, op }) => (op === 'add' ? d[a]! + d[b]! : d[a]! - d[b]!));
  for (let t = 0; t < p.tileRows * p.tileCols; t++)
    for (let c = 0; c < tile; c++) {
      const [y, x] = [2 * Math.floor(t / p.tileCols), 2 * (t % p.tileCols)];
      const at = y * p.rowStride + x * p.pixStride + c;
      const read = (i: number, j: number): number => {
        const index = at + i * p.rowStride + j * p.pixStride;
        return p.storage === 'i16' ? view.getInt16(input + 2 * index, true) : view.getInt8(input + index);
      };
      const columns = [0, 1, 2, 3].map((j) => combine([0, 1, 2, 3].map((i) => read(i, j))));
      const rows = [0, 1, 2, 3].map((i) => combine(columns.map((column) => column[i] as number)));
      rows.flat().forEach((value, e) => {
        view.setInt16(output + 2 * (e * element + t * tile + c), value, true);
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
};
