import type { I32, Local, Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { STORAGE_BYTES } from '../kernel.js';
import { startsAtBias } from './epilogue.js';
import { EpilogueEmitter } from './epilogue-emit.js';
import { Walk } from './walk.js';
import type { WinogradParams } from './winograd.js';
import { WINOGRAD_COLUMNS } from './winograd-weights.js';

/** Bytes of the sums of one tile and element. */
const SUM_BYTES = 4 * WINOGRAD_COLUMNS;

/** A row of output pixels and of residuals of a tile. */
interface TileRow {
  readonly out: Local<'i32'>;
  readonly residual: Local<'i32'> | undefined;
}

/**
 * Emits the output transform A^T M A of one column tile and the epilogue. M[element][tile][8 columns] are the sums of
 * the product. Where the output has an odd size, the last tiles are stored in part.
 */
export class WinogradOutput {
  readonly walk: Walk;
  readonly setup: Stmt[];
  private readonly f: FunctionBuilder;
  private readonly p: WinogradParams;
  private readonly epilogue: EpilogueEmitter;
  private readonly lanes: 'i32x4' | 'f32x4';
  private readonly sums: Local<'i32'>;
  private readonly rows: readonly [TileRow, TileRow];
  private readonly bias: Local<'i32'> | undefined;
  private readonly scale: Local<'i32'> | undefined;
  private readonly columns: Local<'v128'>[][];

  /** `sums` and `out` are the addresses of M and of the output, `first` the epilogue's first parameter. */
  constructor(f: FunctionBuilder, p: WinogradParams, sums: Local<'i32'>, out: Local<'i32'>, first: number) {
    this.f = f;
    this.p = p;
    this.epilogue = new EpilogueEmitter(f, p.epilogue, first);
    this.lanes = p.epilogue.sum === 'f32' ? 'f32x4' : 'i32x4';
    this.setup = [...this.epilogue.setup];
    const walk = new Walk(f);
    this.walk = walk;
    this.sums = walk.add(sums, [0, Math.ceil(p.cols / 2) * SUM_BYTES, SUM_BYTES])[2];
    const { bias, scale, residual } = this.epilogue.addresses;
    this.bias = bias && walk.add(bias, [SUM_BYTES, 0, 0])[2];
    this.scale = scale && walk.add(scale, [SUM_BYTES, 0, 0])[2];
    const outBytes = STORAGE_BYTES[p.epilogue.output.storage];
    const outputs = this.pair(out, p.outRow * outBytes, p.outPix * outBytes, outBytes);
    const { residual: operand } = p.epilogue;
    const bytes = operand ? STORAGE_BYTES[operand.storage] : 0;
    const residuals = operand && residual && this.pair(residual, operand.row * bytes, operand.pix * bytes, bytes);
    this.rows = [
      { out: outputs[0], residual: residuals?.[0] },
      { out: outputs[1], residual: residuals?.[1] },
    ];
    this.columns = [f.vectors(4), f.vectors(4)];
  }

  /** Pointers to both rows of a tile; strides in bytes. */
  private pair(start: Local<'i32'>, row: number, pix: number, element: number): [Local<'i32'>, Local<'i32'>] {
    const second = this.f.local('i32');
    this.setup.push(second.set(this.f.add(start, row)));
    const steps = [WINOGRAD_COLUMNS * element, 2 * row, 2 * pix] as const;
    return [this.walk.add(start, steps)[2], this.walk.add(second, steps)[2]];
  }

  /** All tiles of one column tile, of which `columns` columns are stored. */
  columnTile(columns: number): Stmt[] {
    const { f, p, walk } = this;
    const tileRow = (height: 1 | 2): Stmt[] => [
      ...walk.enter(2),
      f.repeat(Math.floor(p.cols / 2), [...this.tile(height, 2, columns), ...walk.step(2)]),
      ...(p.cols % 2 ? this.tile(height, 1, columns) : []),
    ];
    return [
      ...walk.enter(1),
      f.repeat(Math.floor(p.rows / 2), [...tileRow(2), ...walk.step(1)]),
      ...(p.rows % 2 ? tileRow(1) : []),
    ];
  }

  private tile(height: 1 | 2, width: 1 | 2, columns: number): Stmt[] {
    return this.rows.slice(0, height).flatMap((row, i) => this.row(i as 0 | 1, row, width, columns));
  }

  /** One row of a tile: the columns of M are combined first, then their sums; both halves of the column tile. */
  private row(i: 0 | 1, { out, residual }: TileRow, width: 1 | 2, columns: number): Stmt[] {
    const vectors = columns > 4 ? [0, 1] : [0];
    const combined = vectors.flatMap((v) =>
      (this.columns[v] as Local<'v128'>[])
        .slice(0, width === 2 ? 4 : 3)
        .map((column, j) => column.set(this.combine(i, (row) => this.element(4 * row + j, v)))),
    );
    const pixel = (x: 0 | 1): V128[] =>
      vectors.map((v) => this.combine(x, (column) => this.columns[v]?.[column] as V128));
    return [
      ...combined,
      ...this.epilogue.finish({
        sums: width === 2 ? [pixel(0), pixel(1)] : [pixel(0)],
        columns,
        pointers: { bias: this.bias as I32, scale: this.scale as I32, residual },
        out,
        outPix: this.p.outPix,
      }),
    ];
  }

  /** Row `i` of A^T: m0 + m1 + m2 or m1 - m2 - m3. */
  private combine(i: 0 | 1, m: (index: number) => V128): V128 {
    const op = i === 0 ? 'add' : 'sub';
    return this.f.op(this.lanes, op, this.f.op(this.lanes, op, m(i), m(i + 1)), m(i + 2));
  }

  /** An element of M; element 5 is part of all four outputs with sign +, so that it carries the bias. */
  private element(e: number, vector: number): V128 {
    const { f, p } = this;
    const tiles = Math.ceil(p.rows / 2) * Math.ceil(p.cols / 2);
    const sum = f.load(this.sums, e * tiles * SUM_BYTES + vector * 16);
    if (e !== 5 || !startsAtBias(p.epilogue)) return sum;
    return f.op(this.lanes, 'add', sum, this.epilogue.start({ bias: this.bias as I32 }, vector));
  }
}
