import type { Local, Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { STORAGE_BYTES, type Storage } from '../kernel.js';
import { loadReals } from './lanes.js';
import type { MapOp } from './map.js';
import type { Step } from './map-steps.js';
import { emitNest, type NestShape } from './nest.js';

/** Elements of a cache line of reals: so many neighbours of the source are used while their line is near. */
const LINE = 16;

/** A map that transposes: neighbours of the source and neighbours of the target lie along two dimensions. */
interface Transposed {
  readonly storages: readonly [from: Storage, to: Storage];
  /** The dimension along which the source is contiguous, and that of the target. */
  readonly source: number;
  readonly target: number;
}

/** Ops whose elements pass through registers as reals. */
const throughReals = (op: MapOp, to: Storage): boolean =>
  op.kind === 'copy' ? to === 'f32' : op.kind !== 'clamp' && op.kind !== 'table';

/**
 * How a map is done in blocks, or null: where no dimension is contiguous on both sides, the source has vectors to load
 * along one dimension and the target has some to store along another.
 */
export function transposedBlocks(
  op: MapOp,
  { dims, strides: [from, to] }: NestShape,
  storages: Transposed['storages'],
): Transposed | null {
  const along = (strides: readonly number[] | undefined, least: number): number =>
    dims.findIndex((n, d) => strides?.[d] === 1 && n >= least);
  const [source, target] = [along(from, 4), along(to, 2)];
  const forward = from?.every((s) => s >= 0) && to?.every((s) => s >= 0);
  if (!forward || !throughReals(op, storages[1]) || source < 0 || target < 0 || source === target) return null;
  return from?.[target] === 1 ? null : { storages, source, target };
}

/** Interleaves the 32-bit lanes of the low or high halves of two vectors, or joins those halves. */
const WEAVES = {
  low: [0, 4, 1, 5],
  high: [2, 6, 3, 7],
  lows: [0, 1, 4, 5],
  highs: [2, 3, 6, 7],
} as const;

function weave(f: FunctionBuilder, how: keyof typeof WEAVES, a: V128, b: V128): V128 {
  const bytes = WEAVES[how].flatMap((lane) => [0, 1, 2, 3].map((i) => 4 * lane + i));
  return f.shuffle(a, b, bytes);
}

/** Four rows of four lanes to the first `columns` columns; `rows` is overwritten. */
function transpose(
  f: FunctionBuilder,
  rows: readonly Local<'v128'>[],
  out: readonly Local<'v128'>[],
  columns: number,
): Stmt[] {
  const [r0, r1, r2, r3] = rows as [Local<'v128'>, Local<'v128'>, Local<'v128'>, Local<'v128'>];
  const [a, b] = [f.local('v128'), f.local('v128')];
  const half = (how: 'low' | 'high', first: number): Stmt[] => [
    a.set(weave(f, how, r0, r1)),
    b.set(weave(f, how, r2, r3)),
    ...(['lows', 'highs'] as const)
      .slice(0, columns - first)
      .map((part, i) => (out[first + i] as Local<'v128'>).set(weave(f, part, a, b))),
  ];
  return [...half('low', 0), ...(columns > 2 ? half('high', 2) : [])];
}

/** Emits the blocks of a map that transposes. */
class BlockEmitter {
  private readonly f: FunctionBuilder;
  private readonly step: Step;
  private readonly how: Transposed;
  /** Bytes between neighbours along the target's dimension in the source, and along the source's in the target. */
  private readonly sourceStep: number;
  private readonly targetStep: number;
  private readonly from: Local<'i32'>;
  private readonly to: Local<'i32'>;
  private readonly rows: readonly Local<'v128'>[];
  private readonly columns: readonly Local<'v128'>[];
  /** Elements along the target's dimension that are stored at once: a whole vector of codes, or of reals. */
  private readonly width: number;

  constructor(f: FunctionBuilder, step: Step, { strides: [from, to] }: NestShape, how: Transposed) {
    this.f = f;
    this.step = step;
    this.how = how;
    this.sourceStep = (from?.[how.target] as number) * STORAGE_BYTES[how.storages[0]];
    this.targetStep = (to?.[how.source] as number) * STORAGE_BYTES[how.storages[1]];
    this.from = f.local('i32');
    this.to = f.local('i32');
    this.rows = f.vectors(4);
    this.columns = f.vectors(8);
    this.width = how.storages[1] === 'f32' ? 4 : 8;
  }

  /** `length` elements along the source's dimension and `count` along the target's; moves `from` and `to`. */
  private block(length: number, count: number): Stmt[] {
    const f = this.f;
    const [rows, columns, from, to] = [this.rows, this.columns, this.from, this.to];
    const [source, target] = this.how.storages;
    const parts = Array.from({ length: Math.ceil(count / 4) }, (_, part) => part);
    const loads = parts.flatMap((part) => [
      ...rows.slice(0, count - 4 * part).map((row, j) => {
        const ptr = f.local('i32');
        const loaded = row.set(loadReals(f, { ptr, storage: source, stride: 1 }, 0));
        return f.seq([ptr.set(f.add(from, (4 * part + j) * this.sourceStep)), loaded]);
      }),
      ...transpose(f, rows, columns.slice(4 * part), length),
    ]);
    const stores = Array.from({ length }, (_, i) => {
      const registers = parts.map((part) => columns[4 * part + i] as V128);
      return [
        ...this.step.emit(
          { ptr: from, storage: source, stride: 1, registers },
          { ptr: to, storage: target, stride: 1 },
          count,
        ),
        f.advance(to, this.targetStep),
      ];
    });
    return [...loads, ...stores.flat(), f.advance(from, length * STORAGE_BYTES[source])];
  }

  /** All of the target's dimension for `length` elements along the source's from two pointers on. */
  private line(x: Local<'i32'>, y: Local<'i32'>, length: number, outputs: number): Stmt[] {
    const [f, width] = [this.f, this.width];
    const [a, b] = [f.local('i32'), f.local('i32')];
    const blocks = (count: number): Stmt[] => [
      this.from.set(a),
      this.to.set(b),
      f.repeat(Math.floor(length / 4), this.block(4, count)),
      ...(length % 4 ? this.block(length % 4, count) : []),
    ];
    return [
      a.set(x),
      b.set(y),
      f.repeat(Math.floor(outputs / width), [
        ...blocks(width),
        f.advance(a, width * this.sourceStep),
        f.advance(b, width * STORAGE_BYTES[this.how.storages[1]]),
      ]),
      ...(outputs % width ? blocks(outputs % width) : []),
    ];
  }

  /** The block of both dimensions from two pointers on. */
  emit(source: Local<'i32'>, target: Local<'i32'>, { dims }: NestShape): Stmt[] {
    const { f, how } = this;
    const [length, outputs] = [dims[how.source] as number, dims[how.target] as number];
    const [x, y] = [f.local('i32'), f.local('i32')];
    return [
      x.set(source),
      y.set(target),
      f.repeat(Math.floor(length / LINE), [
        ...this.line(x, y, LINE, outputs),
        f.advance(x, LINE * STORAGE_BYTES[how.storages[0]]),
        f.advance(y, LINE * this.targetStep),
      ]),
      ...(length % LINE ? this.line(x, y, length % LINE, outputs) : []),
    ];
  }
}

/**
 * A map that transposes, in blocks of 4 elements along the source's contiguous dimension and 4 reals or 8 codes along
 * the target's: whole vectors are loaded, turned in registers and stored. Reads up to 3 elements past a source's run.
 */
export function emitBlocks(f: FunctionBuilder, step: Step, shape: NestShape, how: Transposed): Stmt[] {
  const [source, target] = [f.param(0, 'i32'), f.param(1, 'i32')];
  const others = [...shape.dims.keys()].filter((d) => d !== how.source && d !== how.target);
  const pointers = [source, target].map((ptr, i) => ({
    ptr,
    strides: others.map((d) => (shape.strides[i]?.[d] as number) * STORAGE_BYTES[how.storages[i] as Storage]),
  }));
  const body = new BlockEmitter(f, step, shape, how).emit(source, target, shape);
  return [
    ...step.setup,
    emitNest(
      f,
      others.map((d) => shape.dims[d] as number),
      pointers,
      body,
    ),
  ];
}
