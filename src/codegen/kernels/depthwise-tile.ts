import type { Local, Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { STORAGE_BYTES } from '../kernel.js';
import type { DepthwiseParams } from './depthwise.js';
import { EpilogueEmitter, type EpiloguePointers } from './epilogue-emit.js';
import { Walk } from './walk.js';

/** Weight vectors that stay in registers for a block of channels; more are loaded where they are used. */
const MAX_HELD_WEIGHTS = 10;
/** Taps that are unrolled; larger windows loop over their rows. */
const MAX_UNROLLED_TAPS = 32;

/** Byte shuffles that interleave the i16 lanes of two vectors. */
const INTERLEAVE_LOW = [0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23];
const INTERLEAVE_HIGH = [8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31];

/** How the packed weights are arranged: [block of channels][group of taps][step][channel][tap of the step]. */
export interface DepthwiseLayout {
  /** Channels per block. */
  readonly block: number;
  /** Groups of taps, one after the other in a loop, and the taps of each: all, or one row of the window. */
  readonly groups: number;
  readonly groupTaps: number;
  /** Steps per group: i16 takes two taps at a time. */
  readonly steps: number;
  /** Weight vectors per block. */
  readonly vectors: number;
}

export function depthwiseLayout(p: Pick<DepthwiseParams, 'storage' | 'taps'>): DepthwiseLayout {
  const { ySegments, xSegments } = p.taps;
  const groups = ySegments * xSegments > MAX_UNROLLED_TAPS ? ySegments : 1;
  const groupTaps = (ySegments * xSegments) / groups;
  const steps = p.storage === 'i16' ? Math.ceil(groupTaps / 2) : groupTaps;
  const block = p.storage === 'i16' ? 8 : 4;
  return { block, groups, groupTaps, steps, vectors: groups * steps * (block / 4) };
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
  private readonly held: Local<'v128'>[];

  constructor(f: FunctionBuilder, p: DepthwiseParams) {
    this.f = f;
    this.p = p;
    this.layout = depthwiseLayout(p);
    const { block, vectors } = this.layout;
    const { residual, output } = p.epilogue;
    const bytes = STORAGE_BYTES[p.storage];
    const outBytes = STORAGE_BYTES[output.storage];
    this.epilogue = new EpilogueEmitter(f, p.epilogue, 3);
    this.walk = new Walk(f);
    this.input = this.walk.add(f.param(0, 'i32'), [p.rowStride * bytes, block * bytes, p.pixStride * bytes])[2];
    this.output = this.walk.add(f.param(1, 'i32'), [p.outRow * outBytes, block * outBytes, p.outPix * outBytes])[2];
    this.weights = this.walk.add(f.param(2, 'i32'), [0, vectors * 16, 0])[2];
    this.pointers = this.epiloguePointers(residual, block);
    this.sums = f.vectors(block / 4);
    this.held = vectors <= MAX_HELD_WEIGHTS ? f.vectors(vectors) : [];
  }

  private epiloguePointers(residual: DepthwiseParams['epilogue']['residual'], block: number): EpiloguePointers {
    const { bias, scale, residual: start } = this.epilogue.addresses;
    const add = (from: Local<'i32'> | undefined, steps: readonly [number, number, number]) =>
      from && this.walk.add(from, steps)[2];
    const bytes = residual ? STORAGE_BYTES[residual.storage] : 0;
    return {
      bias: add(bias, [0, block * 4, 0]),
      scale: add(scale, [0, block * 4, 0]),
      residual: residual ? add(start, [residual.row * bytes, block * bytes, residual.pix * bytes]) : undefined,
    };
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
      f.repeat(p.cols, [...this.pixel(channels), ...walk.step(2)]),
    ];
  }

  private pixel(channels: number): Stmt[] {
    const sums = this.sums.slice(0, Math.ceil(channels / 4));
    return [
      ...sums.map((sum, v) => sum.set(this.epilogue.start(this.pointers, v))),
      ...this.taps(sums),
      ...this.epilogue.finish({
        sums: [sums],
        columns: channels,
        pointers: this.pointers,
        out: this.output,
        outPix: this.p.outPix,
      }),
    ];
  }

  /** Adds the products of all taps, in a loop over groups if there are several. */
  private taps(sums: readonly Local<'v128'>[]): Stmt[] {
    const { f, p, layout } = this;
    if (layout.groups === 1) return this.group(sums, this.input, this.weights);
    const a = f.local('i32');
    const w = f.local('i32');
    const next = [
      f.advance(a, p.taps.yStride * STORAGE_BYTES[p.storage]),
      f.advance(w, (layout.vectors / layout.groups) * 16),
    ];
    return [a.set(this.input), w.set(this.weights), f.repeat(layout.groups, [...this.group(sums, a, w), ...next])];
  }

  private group(sums: readonly Local<'v128'>[], a: Local<'i32'>, w: Local<'i32'>): Stmt[] {
    const { f, p, layout } = this;
    const { xSegments, yStride, xStride } = p.taps;
    const input = (tap: number): V128 => {
      const offset = Math.floor(tap / xSegments) * yStride + (tap % xSegments) * xStride;
      return f.load(a, offset * STORAGE_BYTES[p.storage]);
    };
    const weight = (i: number): V128 => this.held[i] ?? f.load(w, i * 16);
    const out: Stmt[] = [];
    for (let step = 0; step < layout.steps; step++)
      out.push(
        ...(p.storage === 'i16' ? this.pair(sums, step, input, weight) : this.single(sums, step, input, weight)),
      );
    return out;
  }

  /** Two taps of 8 channels: their lanes are interleaved, so that one dot product sums both. */
  private pair(
    sums: readonly Local<'v128'>[],
    step: number,
    input: (tap: number) => V128,
    weight: (i: number) => V128,
  ): Stmt[] {
    const { f } = this;
    const first = f.local('v128');
    const lone = 2 * step + 1 === this.layout.groupTaps;
    // the weight of a missing partner is 0
    const second = lone ? first : f.local('v128');
    const interleaved = (v: number): V128 => f.shuffle(first, second, v === 0 ? INTERLEAVE_LOW : INTERLEAVE_HIGH);
    return [
      first.set(input(2 * step)),
      ...(lone ? [] : [second.set(input(2 * step + 1))]),
      ...sums.map((sum, v) =>
        sum.set(f.op('i32x4', 'add', sum, f.op('i32x4', 'dot_i16x8_s', interleaved(v), weight(2 * step + v)))),
      ),
    ];
  }

  /** One tap of 4 channels. */
  private single(
    sums: readonly Local<'v128'>[],
    step: number,
    input: (tap: number) => V128,
    weight: (i: number) => V128,
  ): Stmt[] {
    const { f } = this;
    return sums.map((sum) => sum.set(f.op('f32x4', 'add', sum, f.op('f32x4', 'mul', input(step), weight(step)))));
  }
}

/** The body of the kernel. */
export const emitDepthwise = (f: FunctionBuilder, p: DepthwiseParams): Stmt[] => new DepthwiseEmitter(f, p).emit();
