import type { I32, Local, Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { holdsCodes, STORAGE_BYTES } from '../kernel.js';
import { loadCodes4, loadCodes8, storeCodeVectors } from './codes.js';
import type { CodeRounder } from './epilogue-emit.js';
import { codeRounder, type Stream, storeReals, storeRounded } from './lanes.js';
import type { PoolParams } from './pool.js';
import { type WindowGroup, windowGroups } from './pool-windows.js';

/** Channels whose accumulators are in use at once. */
const BLOCK = { i8: 32, i16: 32, f32: 16 } as const;
/** Windows are unrolled along x up to this many loads in all groups together; wider ones are clipped at run time. */
const UNROLLED = 24;
/** Longer runs along x that need no clipping are loops. */
const UNROLLED_RUN = 8;

/** What happens to the accumulators of one kind of pooling. */
interface Reducer {
  /** Lanes of an accumulator. */
  readonly lanes: 4 | 8;
  readonly setup: readonly Stmt[];
  /** Before the channels of an output: `counted` elements are in its window. */
  prepare(counted: I32): Stmt[];
  readonly start: V128;
  /** Accumulator plus element vector number `index` from the pointer. */
  add(acc: V128, ptr: I32, offset: number): V128;
  /** Stores `count` channels from the accumulators and moves the target behind them. */
  finish(accumulators: readonly Local<'v128'>[], count: number): Stmt[];
}

/** Groups of channels that fill `lanes` times `vectors`: [first vector, channels] each. */
function* pieces(count: number, size: number): Generator<readonly [number, number]> {
  for (let c = 0; c < count; c += size) yield [c / size, Math.min(size, count - c)];
}

function maxReducer(f: FunctionBuilder, p: PoolParams, target: Stream): Reducer {
  const { input } = p;
  const { storage } = p.output;
  const codes = holdsCodes(input);
  const lanes = codes ? 8 : 4;
  const [lo, hi] = f.vectors(2);
  const clamped = (v: V128): V128 => (p.clamp ? f.op('i16x8', 'min_s', f.op('i16x8', 'max_s', v, lo!), hi!) : v);
  return {
    lanes,
    setup:
      codes && p.clamp
        ? [lo!.set(f.splat('i16x8', f.param(2, 'i32'))), hi!.set(f.splat('i16x8', f.param(3, 'i32')))]
        : [],
    prepare: () => [],
    start: codes ? f.splatI16(-32768) : f.splatF32(Number.NEGATIVE_INFINITY),
    add: (acc, ptr, offset) =>
      holdsCodes(input)
        ? f.op('i16x8', 'max_s', acc, loadCodes8(f, input, ptr, offset))
        : f.op('f32x4', 'pmax', acc, f.load(ptr, offset)),
    finish: (accumulators, count) =>
      [...pieces(count, lanes)].flatMap(([i, n]) => {
        const acc = accumulators[i]!;
        return [
          ...(holdsCodes(storage)
            ? [storeCodeVectors(f, storage, [clamped(acc)], n, target.ptr)]
            : storeReals(f, target, acc, 0, n)),
          f.advance(target.ptr, n * STORAGE_BYTES[storage]),
        ];
      }),
  };
}

function averageReducer(f: FunctionBuilder, p: PoolParams, target: Stream): Reducer {
  const { input } = p;
  const codes = holdsCodes(input);
  const factor = f.local('v128');
  const rounding =
    p.output.storage !== 'f32' ? codeRounder(f, p.output.rounding, f.param(3, 'i32'), f.param(4, 'i32')) : null;
  const mean = (acc: V128): V128 =>
    codes ? f.op('f32x4', 'mul', f.unary('f32x4', 'convert_i32x4_s', acc), factor) : f.op('f32x4', 'div', acc, factor);
  const reals = (accumulators: readonly Local<'v128'>[], count: number): Stmt[] =>
    [...pieces(count, 4)].flatMap(([i, n]) => [
      ...storeReals(f, target, accumulators[i]!, 0, n),
      f.advance(target.ptr, 4 * n),
    ]);
  const rounded = (accumulators: readonly Local<'v128'>[], count: number, r: CodeRounder): Stmt[] =>
    [...pieces(count, 8)].flatMap(([i, n]) => [
      ...storeRounded(f, r, target, accumulators.slice(2 * i, 2 * i + (n > 4 ? 2 : 1)), n),
      f.advance(target.ptr, STORAGE_BYTES[p.output.storage] * n),
    ]);
  return {
    lanes: 4,
    setup: rounding?.setup ?? [],
    prepare: (counted) => [
      factor.set(
        codes
          ? f.loadAs('load32_splat', f.add(f.param(2, 'i32'), f.shl(counted, 2)))
          : f.unary('f32x4', 'convert_i32x4_s', f.splat('i32x4', counted)),
      ),
    ],
    start: f.zero(),
    add: (acc, ptr, offset) =>
      holdsCodes(input)
        ? f.op('i32x4', 'add', acc, loadCodes4(f, input, ptr, offset))
        : f.op('f32x4', 'add', acc, f.load(ptr, offset)),
    finish: (accumulators, count) => [
      ...accumulators.map((acc) => acc.set(mean(acc))),
      ...(rounding ? rounded(accumulators, count, rounding) : reals(accumulators, count)),
    ],
  };
}

/** Loops of one pooling kernel. Pointers may lie outside of the image; only elements inside are read. */
class PoolLoops {
  private readonly f: FunctionBuilder;
  private readonly p: PoolParams;
  private readonly size: number;
  private readonly target: Stream;
  private readonly reducer: Reducer;
  private readonly ys: readonly WindowGroup[];
  private readonly xs: readonly WindowGroup[];
  /** Windows are clipped at run time along y (more than one group) and along x (too many loads to unroll). */
  private readonly clipX: boolean;
  /** Input row and column of a window's first element. */
  private readonly y0: Local<'i32'>;
  private readonly x0: Local<'i32'>;
  /** Elements that averages divide by, along y and x. */
  private readonly ny: Local<'i32'>;
  private readonly nx: Local<'i32'>;
  private readonly at: Local<'i32'>;
  private readonly counter: Local<'i32'>;

  constructor(f: FunctionBuilder, p: PoolParams) {
    this.f = f;
    this.p = p;
    this.size = STORAGE_BYTES[p.input];
    this.target = { ptr: f.param(1, 'i32'), storage: p.output.storage, stride: 1 };
    this.reducer = p.kind === 'max' ? maxReducer(f, p, this.target) : averageReducer(f, p, this.target);
    this.ys = windowGroups(p, 0);
    this.xs = windowGroups(p, 1);
    this.clipX = this.xs.length > 1 && this.xs.reduce((n, g) => n + g.count, 0) > UNROLLED;
    [this.y0, this.x0, this.ny, this.nx] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
    [this.at, this.counter] = [f.local('i32'), f.local('i32')];
  }

  /** Counts the elements along an axis that an average divides by, for windows clipped at run time. */
  private count(axis: 0 | 1, into: Local<'i32'>, first: I32): Stmt[] {
    const { f, p } = this;
    const size = axis === 0 ? p.height : p.width;
    const inside = p.countIncludePad ? f.ltS(this.at, size + p.pads[axis + 2]!) : f.ltU(this.at, size);
    if (p.kind === 'max') return [];
    return [
      into.set(f.i32(0)),
      this.at.set(first),
      f.repeat(p.window[axis], [into.set(f.add(into, inside)), f.advance(this.at, p.dilation[axis])]),
    ];
  }

  /** Adds the elements of one window row, whose first element is at `ptr`. */
  private row(ptr: Local<'i32'>, group: WindowGroup | null, accumulators: readonly Local<'v128'>[]): Stmt[] {
    const { f, p, reducer } = this;
    const step = p.dilation[1] * p.source.pix * this.size;
    const load = (from: I32, offset: number): Stmt[] =>
      accumulators.map((acc, i) => acc.set(reducer.add(acc, from, offset + i * reducer.lanes * this.size)));
    if (group && group.count <= UNROLLED_RUN)
      return Array.from({ length: group.count }, (_, k) => load(ptr, k * step)).flat();
    const element = f.local('i32');
    if (group) return [element.set(ptr), f.repeat(group.count, [...load(element, 0), f.advance(element, step)])];
    return [
      element.set(ptr),
      this.at.set(this.x0),
      f.repeat(p.window[1], [
        f.when(f.ltU(this.at, p.width), load(element, 0)),
        f.advance(element, step),
        f.advance(this.at, p.dilation[1]),
      ]),
    ];
  }

  /** One block of channels of one output: the window's first element of the first channel is at `from`. */
  private block(from: Local<'i32'>, group: WindowGroup | null, channels: number): Stmt[] {
    const { f, p, reducer } = this;
    const accumulators = f.vectors(Math.ceil(channels / reducer.lanes));
    const line = f.local('i32');
    const rowStep = p.dilation[0] * p.source.row * this.size;
    const body = this.row(line, group, accumulators);
    const loop =
      this.ys.length === 1
        ? [f.repeat(this.ys[0]!.count, [...body, f.advance(line, rowStep)])]
        : [
            this.counter.set(this.y0),
            f.repeat(p.window[0], [
              f.when(f.ltU(this.counter, p.height), body),
              f.advance(line, rowStep),
              f.advance(this.counter, p.dilation[0]),
            ]),
          ];
    return [
      ...accumulators.map((acc) => acc.set(reducer.start)),
      line.set(from),
      ...loop,
      ...reducer.finish(accumulators, channels),
      f.advance(from, channels * this.size),
    ];
  }

  /** All channels of one output; moves `from` and the target to the next one. */
  private output(from: Local<'i32'>, group: WindowGroup | null): Stmt[] {
    const { f, p } = this;
    const perBlock = BLOCK[p.input];
    const rest = p.channels % perBlock;
    const blocks = Math.floor(p.channels / perBlock);
    const targetSize = STORAGE_BYTES[p.output.storage];
    return [
      ...(group ? [] : this.count(1, this.nx, this.x0)),
      ...this.reducer.prepare(f.mul(this.ny, group ? f.i32(group.counted) : this.nx)),
      ...(blocks ? [f.repeat(blocks, this.block(from, group, perBlock))] : []),
      ...(rest ? this.block(from, group, rest) : []),
      f.advance(from, (p.stride[1] * p.source.pix - p.channels) * this.size),
      f.advance(this.target.ptr, (p.target.pix - p.channels) * targetSize),
      ...(group ? [] : [f.advance(this.x0, p.stride[1])]),
    ];
  }

  /** One output row; `line` is at column 0 of the first window row. */
  private outputRow(line: Local<'i32'>): Stmt[] {
    const { f, p } = this;
    const from = f.local('i32');
    if (!this.clipX)
      return this.xs.flatMap((g) => [
        from.set(f.add(line, g.start * p.source.pix * this.size)),
        f.repeat(g.outputs, this.output(from, g)),
      ]);
    return [
      this.x0.set(f.i32(-p.pads[1])),
      from.set(f.sub(line, p.pads[1] * p.source.pix * this.size)),
      f.repeat(p.outWidth, this.output(from, null)),
    ];
  }

  emit(): Stmt[] {
    const [f, p] = [this.f, this.p];
    const line = f.param(0, 'i32');
    const single = this.ys.length === 1;
    const start = single ? this.ys[0]!.start : -p.pads[0];
    const targetSize = STORAGE_BYTES[p.output.storage];
    return [
      ...this.reducer.setup,
      this.y0.set(f.i32(start)),
      f.advance(line, start * p.source.row * this.size),
      ...(single ? [this.ny.set(f.i32(this.ys[0]!.counted))] : []),
      f.repeat(p.outHeight, [
        ...(single ? [] : this.count(0, this.ny, this.y0)),
        ...this.outputRow(line),
        f.advance(this.y0, p.stride[0]),
        f.advance(line, p.stride[0] * p.source.row * this.size),
        f.advance(this.target.ptr, (p.target.row - p.outWidth * p.target.pix) * targetSize),
      ]),
    ];
  }
}

/** The loops of `poolKernel`. */
export const emitPool = (f: FunctionBuilder, p: PoolParams): Stmt[] => new PoolLoops(f, p).emit();
