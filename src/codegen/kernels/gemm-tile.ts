import type { Local, Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { STORAGE_BYTES } from '../kernel.js';
import { EpilogueEmitter, type EpiloguePointers } from './epilogue-emit.js';
import type { GemmParams } from './gemm.js';
import { Walk } from './walk.js';

/** Tiles over `cols` pixels as [count, pixels per tile]; a short rest is split evenly with the last full tile. */
export function pixelTiles(cols: number, mr: number): [count: number, pixels: number][] {
  const full = Math.floor(cols / mr);
  const rest = cols % mr;
  if (rest === 0) return [[full, mr]];
  if (full >= 1 && mr > 2 && rest < mr / 2) {
    const half = Math.ceil((mr + rest) / 2);
    return [
      [full - 1, mr],
      [1, half],
      [1, mr + rest - half],
    ];
  }
  return [
    [full, mr],
    [1, rest],
  ];
}

/** What becomes of the sums of register tiles. */
export type TileEnd = Pick<EpilogueEmitter, 'setup' | 'addresses' | 'start' | 'finish'>;

/** Emits the loops over column tiles, rows and pixel tiles around the K loop. */
export class GemmEmitter {
  private readonly f: FunctionBuilder;
  private readonly p: GemmParams;
  private readonly epilogue: TileEnd;
  /** The pointers; whoever loops over column tiles moves them by `step(0)`. */
  readonly walk: Walk;
  private readonly weights: Local<'i32'>;
  private readonly input: Local<'i32'>;
  private readonly output: Local<'i32'>;
  private readonly pointers: EpiloguePointers;
  private readonly sums: Local<'v128'>[];
  private readonly weight: Local<'v128'>[];
  private readonly splat: Local<'v128'>;
  /** Moving through the weights of a tile and the inputs of a segment. */
  private readonly w: Local<'i32'>;
  private readonly a: Local<'i32'>;

  /**
   * With `batch`, every row is a product with weights of its own, packed one after the other within a column tile,
   * and all column tiles use the same output: the caller takes the sums of one before it runs the next.
   */
  constructor(f: FunctionBuilder, p: GemmParams, batch?: TileEnd) {
    this.f = f;
    this.p = p;
    const { mr, nr } = p.tile;
    const { residual, output } = p.epilogue;
    const bytes = STORAGE_BYTES[p.storage];
    const outBytes = STORAGE_BYTES[output.storage];
    this.epilogue = batch ?? new EpilogueEmitter(f, p.epilogue, 3);
    this.walk = new Walk(f);
    const add = (start: Local<'i32'> | undefined, steps: readonly [number, number, number]) =>
      start && this.walk.add(start, steps)[2];
    this.input = this.walk.add(f.param(0, 'i32'), [0, p.rowStride * bytes, p.pixStride * bytes])[2];
    const outTile = batch ? 0 : nr * outBytes;
    this.output = this.walk.add(f.param(1, 'i32'), [outTile, p.outRow * outBytes, p.outPix * outBytes])[2];
    const weightBytes = this.weightVectors() * nr * 4;
    this.weights = this.walk.add(
      f.param(2, 'i32'),
      batch ? [p.rows * weightBytes, weightBytes, 0] : [weightBytes, 0, 0],
    )[2];
    const { bias, scale } = this.epilogue.addresses;
    const resBytes = residual ? STORAGE_BYTES[residual.storage] : 0;
    this.pointers = {
      bias: add(bias, [nr * 4, 0, 0]),
      scale: add(scale, [nr * 4, 0, 0]),
      residual: residual
        ? add(this.epilogue.addresses.residual, [nr * resBytes, residual.row * resBytes, residual.pix * resBytes])
        : undefined,
    };
    this.sums = f.vectors((mr * nr) / 4);
    this.weight = f.vectors(nr / 4);
    this.splat = f.local('v128');
    this.w = f.local('i32');
    this.a = f.local('i32');
  }

  /** Weight vectors per 4 columns: the steps of the K loop over all segments. */
  private weightVectors(): number {
    const { ySegments, xSegments } = this.p.taps;
    return ySegments * xSegments * this.steps();
  }

  /** Steps of the K loop per segment: i16 takes two k at a time. */
  private steps(): number {
    return this.p.storage === 'i16' ? Math.ceil(this.p.taps.length / 2) : this.p.taps.length;
  }

  emit(): Stmt[] {
    const { p } = this;
    const f = this.f;
    const full = Math.floor(p.columns / p.tile.nr);
    const rest = p.columns % p.tile.nr;
    return [
      ...this.epilogue.setup,
      f.repeat(full, [...this.columnTile(p.tile.nr), ...this.walk.step(0)]),
      ...(rest > 0 ? this.columnTile(rest) : []),
    ];
  }

  /** All pixels of `columns` columns. */
  columnTile(columns: number): Stmt[] {
    const { f, p, walk } = this;
    const tiles = pixelTiles(p.cols, p.tile.mr)
      .filter(([count]) => count > 0)
      .map(([count, pixels]) => f.repeat(count, [...this.tile(pixels, columns), ...walk.step(2, pixels)]));
    return [...walk.enter(1), f.repeat(p.rows, [...walk.enter(2), ...tiles, ...walk.step(1)])];
  }

  /** One register tile: start the sums, run through all segments, finish. */
  private tile(pixels: number, columns: number): Stmt[] {
    const vectors = Math.ceil(columns / 4);
    const tile = Array.from({ length: pixels }, (_, r) => this.sums.slice(r * vectors, (r + 1) * vectors));
    return [
      ...tile.flatMap((row) => row.map((sum, v) => sum.set(this.epilogue.start(this.pointers, v)))),
      this.w.set(this.weights),
      ...this.segments(tile),
      ...this.epilogue.finish({
        sums: tile,
        columns,
        pointers: this.pointers,
        out: this.output,
        outPix: this.p.outPix,
      }),
    ];
  }

  private segments(tile: readonly Local<'v128'>[][]): Stmt[] {
    const { f, p, a } = this;
    const { ySegments, xSegments, yStride, xStride } = p.taps;
    const bytes = STORAGE_BYTES[p.storage];
    const nest = (from: Local<'i32'>, count: number, stride: number, body: (at: Local<'i32'>) => Stmt[]): Stmt[] => {
      if (count === 1) return body(from);
      const at = f.local('i32');
      return [at.set(from), f.repeat(count, [...body(at), f.advance(at, stride * bytes)])];
    };
    return nest(this.input, ySegments, yStride, (y) =>
      nest(y, xSegments, xStride, (x) => [a.set(x), f.repeat(this.steps(), this.step(tile))]),
    );
  }

  /** One step of the K loop: each weight vector is loaded once and multiplied by every pixel's activation. */
  private step(tile: readonly Local<'v128'>[][]): Stmt[] {
    const { f, p, w } = this;
    const a = this.a;
    const splat = this.splat;
    const vectors = tile[0]?.length ?? 0;
    const weight = this.weight.slice(0, vectors);
    const bytes = STORAGE_BYTES[p.storage];
    const multiplyAdd = (sum: V128, v: V128): V128 =>
      p.storage === 'i16'
        ? f.op('i32x4', 'add', sum, f.op('i32x4', 'dot_i16x8_s', splat, v))
        : f.op('f32x4', 'add', sum, f.op('f32x4', 'mul', splat, v));
    return [
      ...weight.map((local, v) => local.set(f.load(w, v * 16))),
      ...tile.flatMap((row, r) => [
        splat.set(f.loadAs('load32_splat', a, r * p.pixStride * bytes)),
        ...row.map((sum, v) => sum.set(multiplyAdd(sum, weight[v] as V128))),
      ]),
      f.advance(a, 4),
      f.advance(w, vectors * 16),
    ];
  }
}

/** The body of the kernel; `p` with its rows joined where possible. */
export const emitGemm = (f: FunctionBuilder, p: GemmParams): Stmt[] => new GemmEmitter(f, p).emit();
