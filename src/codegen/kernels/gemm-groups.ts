import type { GemmParams } from './gemm.js';
import { kPerStep, stepsPerSegment } from './gemm-layout.js';

/**
 * Relaxed products of a group of steps are added in int16 and widened together, where every sum of a group fits. The weights
 * are known: what makes a lane of a group too large is taken out of it, so that the packed weights hold 0 there, and is
 * multiplied apart, in an extra step of the column tile.
 */

/** An extra step: some of the weights of a step of K, for all columns of a tile. */
export interface ExtraStep {
  /** Of the whole sum: segments one after the other. */
  readonly step: number;
  /** 4 weights per column; 0 where the step's own weights stayed. */
  readonly weights: Int8Array;
}

/** Column tiles that extra steps fit: lanes of a step are bits of 16. */
export const MAX_GROUPED_COLUMNS = 8;
/** Steps of K in a sum that the table can name. */
const MAX_STEPS = 32767;
/** Weights whose products share an int16 lane. */
const PER_LANE = 2;
/** Lanes of a step of a tile. */
export const EXTRA_LANES = (MAX_GROUPED_COLUMNS * 4) / PER_LANE;
/** The greatest activation. */
const MOST = 127;

/**
 * The table has a header per column tile, then the extra steps of all tiles: where each reads, then its weights. A header holds
 * their number and the bytes from itself to the first, so that a part of the tiles is found by its first header.
 */
export const EXTRA_HEADER = 16;
export const EXTRA_HEAD = { count: 0, distance: 4 } as const;
export const EXTRA_BYTES = 16 + 4 * MAX_GROUPED_COLUMNS;
/** Where an extra step reads: row and place of the segment, and bytes within. */
export const EXTRA_PLACE = { y: 0, x: 4, k: 8, weights: 16 } as const;

/** Whether the steps of a product can be grouped. */
export const canGroup = (p: GemmParams): boolean =>
  p.isa === 'relaxed' && p.tile.nr <= MAX_GROUPED_COLUMNS && stepsOf(p) <= MAX_STEPS;

const stepsOf = (p: GemmParams): number => p.taps.ySegments * p.taps.xSegments * stepsPerSegment(p);

/** By how much the sums of a lane leave int16; `positive` and `negative` are sums of magnitudes of weights. */
const excess = (positive: number, negative: number): number =>
  Math.max(0, MOST * positive - 32767) + Math.max(0, MOST * negative - 32768);

/** The excess of one lane over the steps from `first` on, without one of them. */
function laneExcess(w: Int8Array, stride: number, at: number, count: number, without: number): number {
  let [positive, negative] = [0, 0];
  for (let step = 0; step < count; step++)
    for (let k = 0; k < PER_LANE && step !== without; k++) {
      const weight = w[at + step * stride + k] as number;
      if (weight > 0) positive += weight;
      else negative -= weight;
    }
  return excess(positive, negative);
}

/** Takes weights out of one group until it fits; `first` is its first step. */
function fitGroup(w: Int8Array, stride: number, first: number, count: number, extras: ExtraStep[]): void {
  const start = first * stride;
  for (;;) {
    const over: number[] = [];
    for (let lane = 0; lane < stride; lane += PER_LANE)
      if (laneExcess(w, stride, start + lane, count, -1) > 0) over.push(lane);
    if (over.length === 0) return;
    let [best, least] = [0, Number.POSITIVE_INFINITY];
    for (let step = 0; step < count; step++) {
      const left = over.reduce((sum, lane) => sum + laneExcess(w, stride, start + lane, count, step), 0);
      if (left < least) [best, least] = [step, left];
    }
    const taken = new Int8Array(stride);
    for (const lane of over)
      for (let k = lane; k < lane + PER_LANE; k++) {
        taken[k] = w[start + best * stride + k] as number;
        w[start + best * stride + k] = 0;
      }
    extras.push({ step: first + best, weights: taken });
  }
}

/**
 * Takes what does not fit out of packed weights, in place, with groups of `group` steps; returns the extra steps of every column
 * tile. A step alone fits: 2 * 127 * 128 < 2^15.
 */
export function takeExtraSteps(p: GemmParams, packed: Int8Array, group: number): ExtraStep[][] {
  const perSegment = stepsPerSegment(p);
  const steps = stepsOf(p);
  const tiles: ExtraStep[][] = [];
  for (let column = 0; column < p.columns; column += p.tile.nr) {
    const stride = kPerStep(p) * Math.min(p.tile.nr, Math.ceil((p.columns - column) / 4) * 4);
    const start = kPerStep(p) * column * steps;
    const weights = packed.subarray(start, start + steps * stride);
    const extras: ExtraStep[] = [];
    for (let segment = 0; segment < steps; segment += perSegment)
      for (let step = 0; step < perSegment; step += group)
        fitGroup(weights, stride, segment + step, Math.min(group, perSegment - step), extras);
    tiles.push(extras);
  }
  return tiles;
}

/**
 * Extra steps as they are stored, in 16 bits each: per tile their number, and per extra step the step, a bit per lane that
 * has weights (the first lane is bit 15), and the two weights of each of these lanes.
 */
export function storedExtras(tiles: readonly (readonly ExtraStep[])[]): Int16Array {
  const words: number[] = [];
  for (const extras of tiles) {
    words.push(extras.length);
    for (const { step, weights } of extras) {
      const lanes = Array.from(
        { length: EXTRA_LANES },
        (_, lane) => [weights[2 * lane] ?? 0, weights[2 * lane + 1] ?? 0] as const,
      );
      words.push(
        step,
        lanes.reduce((mask, [a, b], lane) => (a || b ? mask | (0x8000 >> lane) : mask), 0),
      );
      for (const [a, b] of lanes) if (a || b) words.push((a & 255) | ((b & 255) << 8));
    }
  }
  return Int16Array.from(words);
}

/** Bytes of the table that kernels read. */
export const extraTableBytes = (tiles: readonly (readonly ExtraStep[])[]): number =>
  tiles.reduce((sum, extras) => sum + EXTRA_HEADER + extras.length * EXTRA_BYTES, 0);

/** Extra steps of the column tile with its header at `at`: the place of each, and of its weights. */
export function readExtras(view: DataView, at: number): { y: number; x: number; k: number; weights: number }[] {
  const first = at + view.getInt32(at + EXTRA_HEAD.distance, true);
  return Array.from({ length: view.getInt32(at + EXTRA_HEAD.count, true) }, (_, i) => {
    const entry = first + i * EXTRA_BYTES;
    const [y, x, k] = [EXTRA_PLACE.y, EXTRA_PLACE.x, EXTRA_PLACE.k].map((place) =>
      view.getInt32(entry + place, true),
    ) as [number, number, number];
    return { y, x, k, weights: entry + EXTRA_PLACE.weights };
  });
}
