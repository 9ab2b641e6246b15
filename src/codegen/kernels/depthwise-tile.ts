import { assert } from '../../support/errors.js';
import type { Local, Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { holdsCodes, STORAGE_BYTES } from '../kernel.js';
import { loadCodes8 } from './codes.js';
import type { DepthwiseParams } from './depthwise.js';
import { ARITHMETIC, type DepthwiseArithmetic, type DepthwiseLayout, depthwiseLayout } from './depthwise-layout.js';
import { EpilogueEmitter, type EpiloguePointers, walkEpilogue } from './epilogue-emit.js';
import { Walk } from './walk.js';

/** Weight vectors that stay in registers for a block of channels; more are loaded where they are used. */
const MAX_HELD_WEIGHTS = 10;
/** Neighbouring pixels whose sums share loads of weights and inputs. */
const PIXELS_AT_ONCE: Readonly<Record<DepthwiseArithmetic, number>> = { float: 2, dot: 1, multiply: 2, relaxed: 1 };
/** Byte shuffles that interleave the lower or upper lanes of two vectors, by bytes per lane. */
const INTERLEAVE = {
  1: [
    [0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23],
    [8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31],
  ],
  2: [
    [0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23],
    [8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31],
  ],
} as const;

/** The sums of pixels, four channels a vector. */
type Tile = readonly (readonly Local<'v128'>[])[];

/** Products in int16, and what must be set before. */
interface Products {
  readonly setup: Stmt[];
  readonly products: V128[];
}

/** Where a group of taps reads. */
interface TapSource {
  readonly input: Local<'i32'>;
  readonly weights: Local<'i32'>;
}

/** Emits the loops over rows, blocks of channels and pixels around the taps. */
class DepthwiseEmitter {
  private readonly f: FunctionBuilder;
  private readonly p: DepthwiseParams;
  private readonly layout: DepthwiseLayout;
  private readonly epilogue: EpilogueEmitter;
  private readonly walk: Walk;
  private readonly weights: Local<'i32'>;
  private readonly input: Local<'i32'>;
  private readonly output: Local<'i32'>;
  private readonly pointers: EpiloguePointers;
  private readonly sums: Local<'v128'>[];
  /** Sums of a run in int16. */
  private readonly partial: Local<'v128'>[];
  private readonly held: Local<'v128'>[];
  /** Pixels that are computed together. */
  private readonly atOnce: number;
  /**
   * Whether rows of taps stand in blocks of their own, behind a condition that always holds: Node 20 moves all loads of a
   * block to its start, and spills most of them.
   */
  private readonly separate: boolean;

  constructor(f: FunctionBuilder, p: DepthwiseParams) {
    this.f = f;
    this.p = p;
    this.layout = depthwiseLayout(p);
    const { block, groups, steps, stepVectors, blockSteps } = this.layout;
    const vectors = blockSteps * stepVectors;
    const bytes = STORAGE_BYTES[p.storage];
    const outBytes = STORAGE_BYTES[p.epilogue.output.storage];
    this.epilogue = new EpilogueEmitter(f, p.epilogue, 3);
    this.walk = new Walk(f);
    this.input = this.walk.add(f.param(0, 'i32'), [p.rowStride * bytes, block * bytes, p.pixStride * bytes])[2];
    this.output = this.walk.add(f.param(1, 'i32'), [p.outRow * outBytes, block * outBytes, p.outPix * outBytes])[2];
    this.weights = this.walk.add(f.param(2, 'i32'), [0, vectors * 16, 0])[2];
    const { addresses } = this.epilogue;
    this.pointers = walkEpilogue(this.walk, p.epilogue, addresses, block, (columns, row, pix) => [row, columns, pix]);
    this.atOnce = Math.min(p.cols, PIXELS_AT_ONCE[p.arithmetic]);
    this.sums = f.vectors((this.atOnce * block) / 4);
    const ofTaps = groups * steps * stepVectors;
    this.separate = this.atOnce > 1 && p.arithmetic !== 'float';
    this.partial = ARITHMETIC[p.arithmetic].runs ? f.vectors((this.atOnce * block) / 8) : [];
    this.held = ofTaps <= MAX_HELD_WEIGHTS && !this.separate ? f.vectors(ofTaps) : [];
  }

  emit(): Stmt[] {
    const { p, walk } = this;
    const f = this.f;
    const { block } = this.layout;
    const full = Math.floor(p.channels / block);
    const rest = p.channels % block;
    return [
      ...this.epilogue.setup,
      f.repeat(p.rows, [
        ...walk.enter(1),
        f.repeat(full, [...this.channelBlock(block), ...walk.step(1)]),
        ...(rest > 0 ? this.channelBlock(rest) : []),
        ...walk.step(0),
      ]),
    ];
  }

  /** One row of output pixels of `channels` channels. */
  private channelBlock(channels: number): Stmt[] {
    const { f, p, walk } = this;
    return [
      ...this.held.map((w, i) => w.set(f.load(this.weights, i * 16))),
      ...walk.enter(2),
      f.repeat(Math.floor(p.cols / this.atOnce), [...this.pixels(this.atOnce, channels), ...walk.step(2, this.atOnce)]),
      ...(p.cols % this.atOnce ? this.pixels(p.cols % this.atOnce, channels) : []),
    ];
  }

  private pixels(count: number, channels: number): Stmt[] {
    const vectors = Math.ceil(channels / 4);
    const tile = Array.from({ length: count }, (_, i) => this.sums.slice(i * vectors, (i + 1) * vectors));
    return [
      ...tile.flatMap((row) => row.map((sum, v) => sum.set(this.epilogue.start(this.pointers, v)))),
      ...this.taps(tile),
      ...this.epilogue.finish({
        sums: tile,
        columns: channels,
        pointers: this.pointers,
        out: this.output,
        outPix: this.p.outPix,
      }),
    ];
  }

  /** Adds the products of all taps, in a loop over groups if there are several. */
  private taps(tile: Tile): Stmt[] {
    const { f, p, layout } = this;
    if (layout.groups === 1) return this.group(tile, { input: this.input, weights: this.weights });
    const at = { input: f.local('i32'), weights: f.local('i32') };
    return [
      at.input.set(this.input),
      at.weights.set(this.weights),
      f.repeat(layout.groups, [
        ...this.group(tile, at),
        f.advance(at.input, p.taps.yStride * STORAGE_BYTES[p.storage]),
        f.advance(at.weights, layout.steps * layout.stepVectors * 16),
      ]),
    ];
  }

  private group(tile: Tile, at: TapSource): Stmt[] {
    const steps = Array.from({ length: this.layout.steps }, (_, step) => step);
    switch (this.p.arithmetic) {
      case 'float':
        return this.reals(tile.flat(), at);
      case 'dot':
        return steps.flatMap((step) => this.pair(tile.flat(), step, at));
      default:
        return this.runs(tile, at);
    }
  }

  private offset(tap: number): number {
    const { xSegments, yStride, xStride } = this.p.taps;
    return (Math.floor(tap / xSegments) * yStride + (tap % xSegments) * xStride) * STORAGE_BYTES[this.p.storage];
  }

  /** Eight codes as i16. */
  private codes(offset: number, at: TapSource): V128 {
    const { storage } = this.p;
    assert(holdsCodes(storage), 'codes');
    return loadCodes8(this.f, storage, at.input, offset);
  }

  private weight(i: number, at: TapSource): V128 {
    return this.held[i] ?? this.f.load(at.weights, i * 16);
  }

  /** The interleaved lanes of both taps of a step: `[0]` of the lower channels, `[1]` of the upper ones. */
  private interleaved(step: number, bytes: 1 | 2, load: (tap: number) => V128): { setup: Stmt[]; halves: V128[] } {
    const { f } = this;
    const first = f.local('v128');
    const lone = 2 * step + 1 === this.layout.groupTaps;
    // the weight of a missing partner is 0
    const second = lone ? first : f.local('v128');
    return {
      setup: [first.set(load(2 * step)), ...(lone ? [] : [second.set(load(2 * step + 1))])],
      halves: INTERLEAVE[bytes].map((lanes) => f.shuffle(first, second, lanes)),
    };
  }

  /** Two taps of 8 channels: their lanes are interleaved, so that one dot product sums both. */
  private pair(sums: readonly Local<'v128'>[], step: number, at: TapSource): Stmt[] {
    const { f } = this;
    const { setup, halves } = this.interleaved(step, 2, (tap) => this.codes(this.offset(tap), at));
    const product = (v: number): V128 => f.op('i32x4', 'dot_i16x8_s', halves[v] as V128, this.weight(2 * step + v, at));
    return [...setup, ...sums.map((sum, v) => sum.set(f.op('i32x4', 'add', sum, product(v))))];
  }

  /** The products of one relaxed step in int16, a vector of 8 channels each. */
  private pairProducts(step: number, at: TapSource): Products {
    const { f } = this;
    const { setup, halves } = this.interleaved(step, 1, (tap) => f.load(at.input, this.offset(tap)));
    return { setup, products: halves.map((half, v) => f.relaxedDot8(this.weight(2 * step + v, at), half)) };
  }

  /** One tap of `pixels` pixels in int16; `known` holds the inputs by offset, which pixels side by side read again. */
  private tapProducts(tap: number, pixels: number, at: TapSource, known: Map<number, Local<'v128'>>): Products {
    const { f, p } = this;
    const setup: Stmt[] = [];
    const keep = (value: V128): Local<'v128'> => {
      const local = f.local('v128');
      setup.push(local.set(value));
      return local;
    };
    const weight = this.held[tap] ?? keep(this.weight(tap, at));
    const products = Array.from({ length: pixels }, (_, pixel) => {
      const offset = this.offset(tap) + pixel * p.pixStride * STORAGE_BYTES[p.storage];
      const codes = known.get(offset) ?? keep(this.codes(offset, at));
      known.set(offset, codes);
      return f.op('i16x8', 'mul', codes, weight);
    });
    return { setup, products };
  }

  /** Runs of steps that are added in int16 and widened at their ends. */
  private runs(tile: Tile, at: TapSource): Stmt[] {
    const { f } = this;
    const parts: Stmt[][] = [[]];
    const known = new Map<number, Local<'v128'>>();
    // vectors of eight channels per pixel
    const narrow = Math.ceil((tile[0] as readonly unknown[]).length / 2);
    const partial = this.partial.slice(0, narrow * tile.length);
    let step = 0;
    this.p.runs.forEach((count, run) => {
      const start = this.p.started?.indexOf(run) ?? -1;
      for (let i = 0; i < count; i++, step++) {
        if (this.separate && step % this.p.taps.xSegments === 0) parts.push([]);
        const out = parts.at(-1) as Stmt[];
        const { setup, products } =
          this.p.arithmetic === 'multiply'
            ? this.tapProducts(step, tile.length, at, known)
            : this.pairProducts(step, at);
        out.push(...setup);
        const before = (s: V128, v: number): V128 | null =>
          i > 0 ? s : start < 0 ? null : this.weight((this.layout.steps + start) * this.layout.stepVectors + v, at);
        partial.forEach((s, v) => {
          const [sum, product] = [before(s, v), products[v] as V128];
          out.push(s.set(sum ? f.op('i16x8', 'add', sum, product) : product));
        });
      }
      const widened = (v: number, of: V128): V128 =>
        f.unary('i32x4', v % 2 === 0 ? 'extend_low_i16x8_s' : 'extend_high_i16x8_s', of);
      tile.forEach((sums, pixel) => {
        const of = (v: number): V128 => partial[pixel * narrow + (v >> 1)] as V128;
        parts.at(-1)?.push(...sums.map((sum, v) => sum.set(f.op('i32x4', 'add', sum, widened(v, of(v))))));
      });
    });
    assert(step === this.layout.steps, 'runs cover all steps');
    return this.separate ? parts.map((part) => f.when(at.weights, part)) : parts.flat();
  }

  /** The taps of a group for one vector of reals of each pixel: what several pixels read is loaded once. */
  private reals(sums: readonly Local<'v128'>[], at: TapSource): Stmt[] {
    const { f, p } = this;
    const { xSegments } = p.taps;
    const [input, weights] = [f.local('v128'), f.vectors(xSegments)];
    const row = (first: number): Stmt[] => {
      const uses = new Map<number, [sum: Local<'v128'>, tap: number][]>();
      sums.forEach((sum, pixel) => {
        for (let tap = first; tap < first + xSegments; tap++) {
          const offset = this.offset(tap) + pixel * p.pixStride * STORAGE_BYTES.f32;
          uses.set(offset, [...(uses.get(offset) ?? []), [sum, tap]]);
        }
      });
      const byOffset = [...uses].sort(([a], [b]) => a - b);
      const weight = (tap: number): V128 => this.held[tap] ?? (weights[tap - first] as V128);
      return [
        ...weights.flatMap((w, x) => (this.held[first + x] ? [] : [w.set(this.weight(first + x, at))])),
        ...byOffset.flatMap(([offset, list]) => [
          input.set(f.load(at.input, offset)),
          ...list.map(([sum, tap]) => sum.set(f.multiplyAdd(sum, input, weight(tap)))),
        ]),
      ];
    };
    return Array.from({ length: this.layout.steps / xSegments }, (_, y) => row(y * xSegments)).flat();
  }
}

/** The body of the kernel. */
export const emitDepthwise = (f: FunctionBuilder, p: DepthwiseParams): Stmt[] => new DepthwiseEmitter(f, p).emit();
