import type { I32, Local, Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import type { KernelDef } from '../kernel.js';

/** Columns of a tile of the product. */
export const WINOGRAD_COLUMNS = 8;
/** Elements of a transformed tile: 4 rows of 4. */
export const WINOGRAD_ELEMENTS = 16;

const TAPS = 9;
/** Weights that are transformed side by side: 4 columns of 2 channels. */
const LANES = 8;

/** Channels and columns of the weights of a 3x3 convolution. */
export interface WinogradWeightShape {
  readonly channels: number;
  readonly columns: number;
}

/** Column tiles. */
export const winogradTiles = (s: WinogradWeightShape): number => Math.ceil(s.columns / WINOGRAD_COLUMNS);
/** Groups of `LANES` weights per column tile and element. */
export const winogradGroups = (s: WinogradWeightShape): number => 2 * Math.ceil(s.channels / 2);

/** Elements of the transformed weights. */
export const transformedLength = (s: WinogradWeightShape): number =>
  winogradTiles(s) * winogradGroups(s) * WINOGRAD_ELEMENTS * LANES;

/**
 * Weights in the order that `winogradWeights` reads: [column tile][channel pair][half of the tile][tap][column of the
 * half][channel of the pair]. `get(column, tap, channel)` gives the centred code of tap 3 * ky + kx.
 */
export function packWinograd(
  s: WinogradWeightShape,
  get: (column: number, tap: number, channel: number) => number,
): Int16Array {
  const groups = winogradGroups(s);
  const packed = new Int16Array(winogradTiles(s) * groups * TAPS * LANES);
  for (let column = 0; column < s.columns; column++)
    for (let channel = 0; channel < s.channels; channel++) {
      const inTile = column % WINOGRAD_COLUMNS;
      const group = Math.floor(column / WINOGRAD_COLUMNS) * groups + 2 * (channel >> 1) + (inTile >> 2);
      for (let tap = 0; tap < TAPS; tap++)
        packed[(group * TAPS + tap) * LANES + 2 * (inTile & 3) + (channel & 1)] = get(column, tap, channel);
    }
  return packed;
}

/**
 * Stores 2G applied to three vectors: [2a, a + b + c, a - b + c, 2c]. G is the matrix of Lavin and Gray; its double has
 * integers only.
 */
function transformed(f: FunctionBuilder, [a, b, c]: readonly V128[], ends: Local<'v128'>): [Stmt, V128[]] {
  const [first, middle, last] = [a, b, c] as [V128, V128, V128];
  const twice = (v: V128): V128 => f.shift('i16x8', 'shl', v, 1);
  return [
    ends.set(f.op('i16x8', 'add', first, last)),
    [twice(first), f.op('i16x8', 'add', ends, middle), f.op('i16x8', 'sub', ends, middle), twice(last)],
  ];
}

/** Transforms `LANES` weights: columns of the 3x3 taps first, then rows. */
function emitGroup(f: FunctionBuilder, src: I32, dst: I32, stride: I32, shift: V128): Stmt[] {
  const taps = f.vectors(3);
  const ends = f.local('v128');
  const rows = Array.from({ length: 4 }, () => f.vectors(3));
  const to = f.local('i32');
  const vertical = [0, 1, 2].flatMap((kx) => {
    const load = (ky: number): V128 => f.op('i16x8', 'sub', f.loadAs('load8x8_s', src, (3 * ky + kx) * LANES), shift);
    const [before, values] = transformed(f, taps, ends);
    return [
      ...taps.map((tap, ky) => tap.set(load(ky))),
      before,
      ...values.map((value, i) => (rows[i]?.[kx] as Local<'v128'>).set(value)),
    ];
  });
  const horizontal = rows.flatMap((row) => {
    const [before, values] = transformed(f, row, ends);
    return [before, ...values.flatMap((value) => [f.store(to, value), to.set(f.add(to, stride))])];
  });
  return [...vertical, to.set(dst), ...horizontal];
}

function emit(f: FunctionBuilder): Stmt[] {
  const param = (i: number): Local<'i32'> => f.param(i, 'i32');
  const [src, dst] = [param(0), param(1)];
  const stride = f.local('i32');
  const shift = f.local('v128');
  return [
    shift.set(f.splat('i16x8', param(4))),
    stride.set(f.shl(param(3), 4)),
    f.countDown(param(2), [
      f.countDown(param(3), [
        ...emitGroup(f, src, dst, stride, shift),
        f.advance(src, TAPS * LANES),
        f.advance(dst, 2 * LANES),
      ]),
      // the groups of one element have been passed
      dst.set(f.add(dst, f.mul(stride, WINOGRAD_ELEMENTS - 1))),
    ]),
  ];
}

const doubledG = ([a, b, c]: readonly number[]): number[] => {
  const [first, middle, last] = [a, b, c] as [number, number, number];
  return [2 * first, first + middle + last, first - middle + last, 2 * last];
};

/** 2G g (2G)^T of nine taps: 16 elements, row by row. */
export function transformTaps(taps: readonly number[]): number[] {
  const columns = [0, 1, 2].map((kx) => doubledG([0, 1, 2].map((ky) => taps[3 * ky + kx] as number)));
  return [0, 1, 2, 3].flatMap((i) => doubledG(columns.map((column) => column[i] as number)));
}

function reference(_: object, memory: ArrayBuffer, args: readonly number[]): void {
  const [src, dst, tiles, groups, shift] = args as [number, number, number, number, number];
  const view = new DataView(memory);
  for (let tile = 0; tile < tiles; tile++)
    for (let group = 0; group < groups; group++)
      for (let lane = 0; lane < LANES; lane++) {
        const from = src + (tile * groups + group) * TAPS * LANES + lane;
        const taps = Array.from({ length: TAPS }, (_tap, i) => view.getInt8(from + i * LANES) - shift);
        transformTaps(taps).forEach((value, e) => {
          const at = ((tile * WINOGRAD_ELEMENTS + e) * groups + group) * LANES + lane;
          view.setInt16(dst + 2 * at, value, true);
        });
      }
}

/**
 * Makes the weights of `winogradProduct` from one-byte codes in the order of `packWinograd`: 16 times the transformed
 * weights 2G g (2G)^T of F(2x2, 3x3) per tile of 8 columns, each packed like a product's. With 9-bit codes they are
 * below 9 * 255 in magnitude.
 * Arguments: src, dst, column tiles, groups per column tile, shift (subtracted from every code).
 */
export const winogradWeights: KernelDef = {
  name: () => 'i8-winograd-weights-simd',
  signature: () => ({ params: ['i32', 'i32', 'i32', 'i32', 'i32'] }),
  emit,
  reference,
};
