import type { I32, Local, Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { type KernelDef, STORAGE_BYTES } from '../kernel.js';
import { writeElement } from './elements.js';

/** Columns of a tile of the product. */
export const WINOGRAD_COLUMNS = 8;
/** Elements of a transformed tile: 4 rows of 4. */
export const WINOGRAD_ELEMENTS = 16;

const TAPS = 9;
/** Columns of a vector of the product. */
const VECTOR_COLUMNS = 4;

/** How transformed input and weights are stored: the integers of codes, or reals. */
export type WinogradStorage = 'i16' | 'f32';

/** Elements in a vector of transformed input or weights. */
export const winogradLanes = (storage: WinogradStorage): number => 16 / STORAGE_BYTES[storage];

/** Channels and columns of the weights of a 3x3 convolution. */
export interface WinogradWeightShape {
  readonly storage: WinogradStorage;
  readonly channels: number;
  readonly columns: number;
}

/** Column tiles. */
export const winogradTiles = (s: Pick<WinogradWeightShape, 'columns'>): number =>
  Math.ceil(s.columns / WINOGRAD_COLUMNS);
/** Channels of a group of weights that are transformed side by side: 4 columns of one real or a pair of codes. */
const groupChannels = (s: WinogradWeightShape): number => winogradLanes(s.storage) / VECTOR_COLUMNS;
/** Groups per column tile and element. */
export const winogradGroups = (s: WinogradWeightShape): number =>
  (WINOGRAD_COLUMNS / VECTOR_COLUMNS) * Math.ceil(s.channels / groupChannels(s));

/** Bytes of the transformed weights. */
export const transformedBytes = (s: WinogradWeightShape): number =>
  winogradTiles(s) * winogradGroups(s) * WINOGRAD_ELEMENTS * 16;

/** Where a weight lies: its group of the column tile's, counted over all tiles, and its lane. */
export function winogradPlace(
  s: WinogradWeightShape,
  column: number,
  channel: number,
): { group: number; lane: number } {
  const side = groupChannels(s);
  const inTile = column % WINOGRAD_COLUMNS;
  const halves = WINOGRAD_COLUMNS / VECTOR_COLUMNS;
  const group = halves * Math.floor(channel / side) + Math.floor(inTile / VECTOR_COLUMNS);
  return {
    group: Math.floor(column / WINOGRAD_COLUMNS) * winogradGroups(s) + group,
    lane: side * (inTile % VECTOR_COLUMNS) + (channel % side),
  };
}

/**
 * Weights in the order that `winogradWeights` reads: [column tile][channel or pair of them][half of the tile][tap]
 * [column of the half][channel of the pair]. `get(column, tap, channel)` gives the centred code, or the real weight, of
 * tap 3 * ky + kx.
 */
export function packWinograd(
  s: WinogradWeightShape,
  get: (column: number, tap: number, channel: number) => number,
): Int16Array | Float32Array {
  const lanes = winogradLanes(s.storage);
  const length = winogradTiles(s) * winogradGroups(s) * TAPS * lanes;
  const packed = s.storage === 'f32' ? new Float32Array(length) : new Int16Array(length);
  for (let column = 0; column < s.columns; column++)
    for (let channel = 0; channel < s.channels; channel++) {
      const { group, lane } = winogradPlace(s, column, channel);
      for (let tap = 0; tap < TAPS; tap++) packed[(group * TAPS + tap) * lanes + lane] = get(column, tap, channel);
    }
  return packed;
}

/** What the transform of a storage is made of. */
interface Arithmetic {
  readonly add: (a: V128, b: V128) => V128;
  readonly sub: (a: V128, b: V128) => V128;
  readonly twice: (v: V128) => V128;
  /** The weights of a tap, from bytes of the source per lane. */
  readonly load: (src: I32, tap: number) => V128;
}

/** Of reals a quarter is transformed, so that their sums are those of the convolution: powers of two do not round. */
const QUARTER = 0.25;

function arithmeticOf(f: FunctionBuilder, storage: WinogradStorage, constant: V128): Arithmetic {
  const lanes = winogradLanes(storage);
  if (storage === 'i16')
    return {
      add: (a, b) => f.op('i16x8', 'add', a, b),
      sub: (a, b) => f.op('i16x8', 'sub', a, b),
      twice: (v) => f.shift('i16x8', 'shl', v, 1),
      load: (src, tap) => f.op('i16x8', 'sub', f.loadAs('load8x8_s', src, tap * lanes), constant),
    };
  const twice = f.local('v128');
  return {
    add: (a, b) => f.op('f32x4', 'add', a, b),
    sub: (a, b) => f.op('f32x4', 'sub', a, b),
    twice: (v) => f.op('f32x4', 'add', twice.tee(v), twice),
    load: (src, tap) => f.op('f32x4', 'mul', f.load(src, tap * 16), constant),
  };
}

/**
 * 2G applied to three vectors: [2a, a + c + b, a + c - b, 2c]. G is the matrix of Lavin and Gray; its double has
 * integers only.
 */
function transformed(o: Arithmetic, [a, b, c]: readonly V128[], ends: Local<'v128'>): [Stmt, V128[]] {
  const [first, middle, last] = [a, b, c] as [V128, V128, V128];
  return [ends.set(o.add(first, last)), [o.twice(first), o.add(ends, middle), o.sub(ends, middle), o.twice(last)]];
}

/** Transforms a group of weights: columns of the 3x3 taps first, then rows. */
function emitGroup(f: FunctionBuilder, o: Arithmetic, src: I32, dst: I32, stride: I32): Stmt[] {
  const taps = f.vectors(3);
  const ends = f.local('v128');
  const rows = Array.from({ length: 4 }, () => f.vectors(3));
  const to = f.local('i32');
  const vertical = [0, 1, 2].flatMap((kx) => {
    const [before, values] = transformed(o, taps, ends);
    return [
      ...taps.map((tap, ky) => tap.set(o.load(src, 3 * ky + kx))),
      before,
      ...values.map((value, i) => (rows[i]?.[kx] as Local<'v128'>).set(value)),
    ];
  });
  const horizontal = rows.flatMap((row) => {
    const [before, values] = transformed(o, row, ends);
    return [before, ...values.flatMap((value) => [f.store(to, value), to.set(f.add(to, stride))])];
  });
  return [...vertical, to.set(dst), ...horizontal];
}

/** Which weights are transformed. */
export type WinogradWeightsParams = Pick<WinogradWeightShape, 'storage'>;

function emit(f: FunctionBuilder, { storage }: WinogradWeightsParams): Stmt[] {
  const param = (i: number): Local<'i32'> => f.param(i, 'i32');
  const [src, dst] = [param(0), param(1)];
  const stride = f.local('i32');
  const constant = f.local('v128');
  const groupBytes = TAPS * (storage === 'i16' ? winogradLanes(storage) : 16);
  return [
    constant.set(storage === 'i16' ? f.splat('i16x8', param(4)) : f.splat('f32x4', f.f32(QUARTER))),
    stride.set(f.shl(param(3), 4)),
    f.countDown(param(2), [
      f.countDown(param(3), [
        ...emitGroup(f, arithmeticOf(f, storage, constant), src, dst, stride),
        f.advance(src, groupBytes),
        f.advance(dst, 16),
      ]),
      // the groups of one element have been passed
      dst.set(f.add(dst, f.mul(stride, WINOGRAD_ELEMENTS - 1))),
    ]),
  ];
}

type Round = (x: number) => number;

const doubledG = ([a, b, c]: readonly number[], round: Round): number[] => {
  const [first, middle, last] = [a, b, c] as [number, number, number];
  const ends = round(first + last);
  return [2 * first, round(ends + middle), round(ends - middle), 2 * last];
};

/** 2G g (2G)^T of nine taps: 16 elements, row by row; sums of reals are rounded. */
export function transformTaps(taps: readonly number[], round: Round = (x) => x): number[] {
  const columns = [0, 1, 2].map((kx) =>
    doubledG(
      [0, 1, 2].map((ky) => taps[3 * ky + kx] as number),
      round,
    ),
  );
  return [0, 1, 2, 3].flatMap((i) =>
    doubledG(
      columns.map((column) => column[i] as number),
      round,
    ),
  );
}

function reference({ storage }: WinogradWeightsParams, memory: ArrayBuffer, args: readonly number[]): void {
  const [src, dst, tiles, groups, shift = 0] = args as [number, number, number, number, number?];
  const view = new DataView(memory);
  const lanes = winogradLanes(storage);
  const reals = storage === 'f32';
  const read = (index: number): number =>
    reals ? Math.fround(QUARTER * view.getFloat32(src + 4 * index, true)) : view.getInt8(src + index) - shift;
  for (let tile = 0; tile < tiles; tile++)
    for (let group = 0; group < groups; group++)
      for (let lane = 0; lane < lanes; lane++) {
        const from = (tile * groups + group) * TAPS * lanes + lane;
        const taps = Array.from({ length: TAPS }, (_tap, i) => read(from + i * lanes));
        transformTaps(taps, reals ? Math.fround : undefined).forEach((value, e) => {
          writeElement(view, storage, dst, ((tile * WINOGRAD_ELEMENTS + e) * groups + group) * lanes + lane, value);
        });
      }
}

/**
 * Makes the weights of `winograd` from one-byte codes or reals in the order of `packWinograd`: 16 times the transformed
 * weights of F(2x2, 3x3) per tile of 8 columns, each packed like a product's. Codes are transformed by 2G: with 9 bits
 * they grow to less than 9 * 255 in magnitude. Reals are transformed by G.
 * Arguments: src, dst, column tiles, groups per column tile, and for codes a shift that is subtracted from every one.
 */
export const winogradWeights: KernelDef<WinogradWeightsParams> = {
  name: ({ storage }) => `${storage === 'f32' ? 'f32' : 'i8'}-winograd-weights-simd`,
  signature: ({ storage }) => ({ params: Array.from({ length: storage === 'f32' ? 4 : 5 }, () => 'i32' as const) }),
  emit,
  reference,
};
