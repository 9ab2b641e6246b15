import type { Local, Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import type { KernelDef, Split } from '../kernel.js';
import { sumLanes, tailMask } from './lane-sums.js';
import { type Stream, storeReals } from './lanes.js';

/**
 * Batched product of contiguous row-major f32 matrices: target[i][m][n] = sum over k of a[i][m][k] * b[i][k][n]
 * (transB: b[i][n][k]). Arguments: [a, b, target], byte addresses; the target overlaps neither.
 *
 * The sum runs over k in order; with transB in four lanes (k % 4), then over the lanes in order.
 */
export interface MatmulParams {
  readonly batch: number;
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly transB: boolean;
  /** False: one b matrix serves all batches. */
  readonly batchedB: boolean;
}

/** Rows and columns of a tile: eight accumulators. */
const TILE = { straight: { rows: 4, columns: 8 }, transposed: { rows: 2, columns: 4 } } as const;

interface Pointers {
  readonly a: Local<'i32'>;
  readonly b: Local<'i32'>;
  readonly target: Local<'i32'>;
}

type Tile = (f: FunctionBuilder, p: MatmulParams, at: Pointers, rows: number, columns: number) => Stmt[];

const range = (n: number): number[] => [...Array(n).keys()];

/** acc + x * y. */
const multiplyAdd = (f: FunctionBuilder, acc: Local<'v128'>, x: V128, y: V128): Stmt =>
  acc.set(f.multiplyAdd(acc, x, y));

/** Lanes are columns: each element of a multiplies a row of b. */
const straightTile: Tile = (f, p, at, rows, columns) => {
  const parts = range(Math.ceil(columns / 4));
  const accumulators = range(rows).map(() => f.vectors(parts.length));
  const b = f.vectors(parts.length);
  const [pa, pb, row] = [f.local('i32'), f.local('i32'), f.local('i32')];
  const x = f.local('v128');
  const stream: Stream = { ptr: row, storage: 'f32', stride: 1 };
  return [
    ...accumulators.flat().map((acc) => acc.set(f.zero())),
    pa.set(at.a),
    pb.set(at.b),
    f.repeat(p.k, [
      ...b.map((v, j) => v.set(f.load(pb, 16 * j))),
      ...accumulators.flatMap((list, i) => [
        x.set(f.loadAs('load32_splat', pa, 4 * p.k * i)),
        ...list.map((acc, j) => multiplyAdd(f, acc, x, b[j]!)),
      ]),
      f.advance(pa, 4),
      f.advance(pb, 4 * p.n),
    ]),
    row.set(at.target),
    ...accumulators.flatMap((list) => [
      ...list.flatMap((acc, j) => storeReals(f, stream, acc, j, Math.min(4, columns - 4 * j))),
      f.advance(row, 4 * p.n),
    ]),
  ];
};

/** Lanes are neighbouring k: dot products of rows of a and rows of b. */
const transposedTile: Tile = (f, p, at, rows, columns) => {
  const accumulators = range(rows).map(() => f.vectors(columns));
  const a = f.vectors(rows);
  const b = f.local('v128');
  const [pa, pb] = [f.local('i32'), f.local('i32')];
  const tail = p.k % 4;
  // what lies behind a row may be anything, so that both operands are cut
  const step = (cut: (v: V128) => V128): Stmt[] => [
    ...a.map((v, i) => v.set(cut(f.load(pa, 4 * p.k * i)))),
    ...range(columns).flatMap((j) => [
      b.set(cut(f.load(pb, 4 * p.k * j))),
      ...range(rows).map((i) => multiplyAdd(f, accumulators[i]![j]!, a[i]!, b)),
    ]),
  ];
  return [
    ...accumulators.flat().map((acc) => acc.set(f.zero())),
    pa.set(at.a),
    pb.set(at.b),
    f.repeat(Math.floor(p.k / 4), [...step((v) => v), f.advance(pa, 16), f.advance(pb, 16)]),
    ...(tail ? step((v) => f.bitwise('and', v, tailMask(f, tail))) : []),
    ...accumulators.flatMap((list, i) =>
      list.map((acc, j) => f.storeF32(at.target, sumLanes(f, acc), 4 * (p.n * i + j))),
    ),
  ];
};

/** Full tiles and the rest along one dimension: [how many, of which size]. */
const tiles = (n: number, size: number): (readonly [number, number])[] =>
  (
    [
      [Math.floor(n / size), size],
      [n % size ? 1 : 0, n % size],
    ] as const
  ).filter(([count]) => count > 0);

/** Columns outermost: their strip of b stays in the cache for all rows. */
function emit(f: FunctionBuilder, p: MatmulParams): Stmt[] {
  const tile = p.transB ? transposedTile : straightTile;
  const size = TILE[p.transB ? 'transposed' : 'straight'];
  const [a, b, target] = [f.param(0, 'i32'), f.param(1, 'i32'), f.param(2, 'i32')];
  const at: Pointers = { a: f.local('i32'), b: f.local('i32'), target: f.local('i32') };
  const strip = f.local('i32');
  const columns = tiles(p.n, size.columns).flatMap(([stripCount, width]) =>
    f.repeat(stripCount, [
      at.a.set(a),
      at.target.set(strip),
      ...tiles(p.m, size.rows).map(([count, height]) =>
        f.repeat(count, [
          ...tile(f, p, at, height, width),
          f.advance(at.a, 4 * p.k * height),
          f.advance(at.target, 4 * p.n * height),
        ]),
      ),
      f.advance(at.b, 4 * width * (p.transB ? p.k : 1)),
      f.advance(strip, 4 * width),
    ]),
  );
  return [
    f.repeat(p.batch, [
      at.b.set(b),
      strip.set(target),
      ...columns,
      f.advance(a, 4 * p.m * p.k),
      f.advance(b, p.batchedB ? 4 * p.k * p.n : 0),
      f.advance(target, 4 * p.m * p.n),
    ]),
  ];
}

const f32 = Math.fround;

function reference(p: MatmulParams, memory: ArrayBuffer, args: readonly number[]): void {
  const data = new Float32Array(memory);
  const [a, b, target] = args.map((address) => address / 4) as [number, number, number];
  const [stepK, stepN] = p.transB ? [1, p.k] : [p.n, 1];
  for (let i = 0; i < p.batch; i++)
    for (let m = 0; m < p.m; m++)
      for (let n = 0; n < p.n; n++) {
        const x = a + (i * p.m + m) * p.k;
        const y = b + (p.batchedB ? i * p.k * p.n : 0) + n * stepN;
        const lanes = [0, 0, 0, 0];
        for (let k = 0; k < p.k; k++) {
          const lane = p.transB ? k % 4 : 0;
          lanes[lane] = f32(lanes[lane]! + f32(data[x + k]! * data[y + k * stepK]!));
        }
        data[target + (i * p.m + m) * p.n + n] = p.transB ? lanes.reduce((s, v) => f32(s + v)) : lanes[0]!;
      }
}

/** A product of reals costs about as much as two of codes. */
const PRODUCT_WORK = 2;

/** Parts are runs of batches, or of row tiles where there is one batch. */
function split(p: MatmulParams): Split<MatmulParams> {
  const work = PRODUCT_WORK * p.batch * p.m * p.k * p.n;
  if (p.batch > 1)
    return {
      work,
      units: p.batch,
      part: (first, batch) => ({
        params: { ...p, batch },
        offsets: [4 * first * p.m * p.k, p.batchedB ? 4 * first * p.k * p.n : 0, 4 * first * p.m * p.n],
      }),
    };
  const { rows } = TILE[p.transB ? 'transposed' : 'straight'];
  return {
    work,
    units: Math.ceil(p.m / rows),
    part: (first, count) => ({
      params: { ...p, m: Math.min(count * rows, p.m - first * rows) },
      offsets: [4 * first * rows * p.k, 0, 4 * first * rows * p.n],
    }),
  };
}

/** Products of float matrices; see `MatmulParams`. */
export const matmulKernel: KernelDef<MatmulParams> = {
  name: (p) => `f32-matmul${p.transB ? '-transposed' : ''}-simd`,
  signature: () => ({ params: ['i32', 'i32', 'i32'] }),
  emit,
  reference,
  split,
};
