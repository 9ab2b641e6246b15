import type { Local, Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { holdsCodes, STORAGE_BYTES } from '../kernel.js';
import { splatPair } from './codes.js';
import { EpilogueEmitter, type EpiloguePointers, walkEpilogue } from './epilogue-emit.js';
import type { GemmParams } from './gemm.js';
import { EXTRA_BYTES, EXTRA_HEAD, EXTRA_HEADER, EXTRA_PLACE } from './gemm-groups.js';
import { isGrouped, kPerStep, stepsPerSegment } from './gemm-layout.js';
import { Walk } from './walk.js';

/** Eight times 1 in int16, for relaxed SIMD. */
const ONES = 0x00010001;

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
  /** The activations of the steps of a group. */
  private readonly splats: Local<'v128'>[];
  /** The extra steps of the column tile, for grouped steps. */
  private readonly extras: Local<'i32'> | undefined;
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
    const bytes = STORAGE_BYTES[p.storage];
    const outBytes = STORAGE_BYTES[p.epilogue.output.storage];
    this.epilogue = batch ?? new EpilogueEmitter(f, p.epilogue, isGrouped(p) ? 4 : 3);
    this.walk = new Walk(f);
    this.input = this.walk.add(f.param(0, 'i32'), [0, p.rowStride * bytes, p.pixStride * bytes])[2];
    const outTile = batch ? 0 : nr * outBytes;
    this.output = this.walk.add(f.param(1, 'i32'), [outTile, p.outRow * outBytes, p.outPix * outBytes])[2];
    const weightBytes = this.weightVectors() * nr * 4;
    this.weights = this.walk.add(
      f.param(2, 'i32'),
      batch ? [p.rows * weightBytes, weightBytes, 0] : [weightBytes, 0, 0],
    )[2];
    this.pointers = walkEpilogue(this.walk, p.epilogue, this.epilogue.addresses, nr, (...steps) => steps);
    this.sums = f.vectors((mr * nr) / 4);
    const { group = 1 } = p.tile;
    this.weight = f.vectors((group * nr) / 4);
    this.splats = f.vectors(group);
    this.extras = isGrouped(p) ? f.param(3, 'i32') : undefined;
    this.w = f.local('i32');
    this.a = f.local('i32');
  }

  /** Weight vectors per 4 columns: the steps of the K loop over all segments. */
  private weightVectors(): number {
    const { ySegments, xSegments } = this.p.taps;
    return ySegments * xSegments * stepsPerSegment(this.p);
  }

  emit(): Stmt[] {
    const { p } = this;
    const f = this.f;
    const full = Math.floor(p.columns / p.tile.nr);
    const rest = p.columns % p.tile.nr;
    return [
      ...this.epilogue.setup,
      f.repeat(full, [...this.columnTile(p.tile.nr), ...this.walk.step(0), ...this.nextExtras()]),
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
      ...this.extraSteps(tile),
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
      nest(y, xSegments, xStride, (x) => [a.set(x), ...this.steps(tile)]),
    );
  }

  /** The K loop of one segment. */
  private steps(tile: readonly Local<'v128'>[][]): Stmt[] {
    const { f, p } = this;
    const { unroll = 1, group = 1 } = p.tile;
    const steps = stepsPerSegment(p);
    const atOnce = group > 1 ? group : unroll;
    const several = (count: number): Stmt[] => [
      ...(group > 1
        ? this.group(tile, 0, count)
        : Array.from({ length: count }, (_, i) => this.group(tile, i, 1)).flat()),
      f.advance(this.a, count * kPerStep(p) * STORAGE_BYTES[p.storage]),
      f.advance(this.w, count * (tile[0]?.length ?? 0) * 16),
    ];
    const moved = atOnce * kPerStep(p) * STORAGE_BYTES[p.storage];
    return [
      f.repeatAlong(this.a, Math.floor(steps / atOnce), moved, several(atOnce)),
      ...(steps % atOnce ? several(steps % atOnce) : []),
    ];
  }

  /** `count` steps of an iteration from `first` on: each weight vector is loaded once and multiplied by every pixel's activation. */
  private group(tile: readonly Local<'v128'>[][], first: number, count: number): Stmt[] {
    const { f, p, w } = this;
    const vectors = tile[0]?.length ?? 0;
    const weight = this.weight.slice(0, count * vectors);
    const splats = this.splats.slice(0, count);
    const bytes = STORAGE_BYTES[p.storage];
    return [
      ...weight.map((local, i) => local.set(f.load(w, (first * vectors + i) * 16))),
      ...tile.flatMap((row, r) => [
        ...splats.map((splat, i) => splat.set(this.activation((r * p.pixStride + (first + i) * kPerStep(p)) * bytes))),
        ...row.map((sum, v) => {
          const ofColumns = weight.filter((_, i) => i % vectors === v);
          return sum.set(this.multiplyAdd(sum, splats, ofColumns));
        }),
      ]),
    ];
  }

  /** The extra steps of the column tile, one at a time: its packed weights have none of theirs. */
  private extraSteps(tile: readonly Local<'v128'>[][]): Stmt[] {
    const { f, p, a, w } = this;
    const extras = this.extras;
    if (!extras) return [];
    const { ySegments, xSegments, yStride, xStride } = p.taps;
    const [left, at] = [f.local('i32'), f.local('i32')];
    const bytes = STORAGE_BYTES[p.storage];
    const moved = (count: number, place: number, stride: number): Stmt[] =>
      count > 1 ? [a.set(f.add(a, f.mul(f.loadI32(at, place), stride * bytes)))] : [];
    return [
      left.set(f.loadI32(extras, EXTRA_HEAD.count)),
      f.when(left, [
        at.set(f.add(extras, f.loadI32(extras, EXTRA_HEAD.distance))),
        f.countDown(left, [
          a.set(f.add(this.input, f.loadI32(at, EXTRA_PLACE.k))),
          ...moved(ySegments, EXTRA_PLACE.y, yStride),
          ...moved(xSegments, EXTRA_PLACE.x, xStride),
          w.set(f.add(at, EXTRA_PLACE.weights)),
          ...this.group(tile, 0, 1),
          f.advance(at, EXTRA_BYTES),
        ]),
      ]),
    ];
  }

  /** Moves to the extra steps of the next column tile. */
  private nextExtras(): Stmt[] {
    return this.extras ? [this.f.advance(this.extras, EXTRA_HEADER)] : [];
  }

  /** The activations of one step and pixel in every lane. */
  private activation(offset: number): V128 {
    const { f, p } = this;
    const a = this.a;
    const { storage } = p;
    if (p.isa === 'relaxed' || !holdsCodes(storage)) return f.loadAs('load32_splat', a, offset);
    return splatPair(f, storage, a, offset);
  }

  /** A sum with the products of the steps of a group. */
  private multiplyAdd(sum: V128, splats: readonly V128[], weights: readonly V128[]): V128 {
    const { f, p } = this;
    const [splat, weight] = [splats[0] as V128, weights[0] as V128];
    if (!holdsCodes(p.storage)) return f.multiplyAdd(sum, splat, weight);
    if (p.isa !== 'relaxed') return f.op('i32x4', 'add', sum, f.op('i32x4', 'dot_i16x8_s', splat, weight));
    const narrow = splats
      .map((activation, i) => f.relaxedDot8(weights[i] as V128, activation))
      .reduce((total, products) => f.op('i16x8', 'add', total, products));
    return f.op('i32x4', 'add', sum, f.op('i32x4', 'dot_i16x8_s', narrow, f.kept(ONES)));
  }
}

/** The body of the kernel; `p` with its rows joined where possible. */
export const emitGemm = (f: FunctionBuilder, p: GemmParams): Stmt[] => new GemmEmitter(f, p).emit();
