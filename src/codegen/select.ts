/** Which kernel and tile a layer gets: the tables, and the functions that read them. First match wins. */
import { assert } from '../support/errors.js';
import { GEMM_TABLE, type GemmRow } from './gemm-table.js';
import type { Isa, Storage } from './kernel.js';
import type { DepthwiseParams } from './kernels/depthwise.js';
import { ARITHMETIC, type DepthwiseArithmetic } from './kernels/depthwise-layout.js';
import { type CodeInterval, provenRuns } from './kernels/depthwise-runs.js';
import { type GemmParams, type GemmTile, joinRows } from './kernels/gemm.js';
import { canGroup, type ExtraStep, takeExtraSteps } from './kernels/gemm-groups.js';
import { gemmArithmetic, stepsPerSegment } from './kernels/gemm-layout.js';
import { transformedBytes } from './kernels/winograd-weights.js';
import { WINOGRAD_TABLE, type WinogradRival } from './winograd-table.js';

const within = (range: CodeInterval | null | undefined, lo: number, hi: number): boolean =>
  range !== null && range !== undefined && lo <= range.lo && range.hi <= hi;

/** Codes that one unsigned 7-bit operand of a relaxed dot product holds: these are stored as i8. */
export const fitsI8 = (range: CodeInterval | null | undefined): boolean => within(range, 0, 127);

/**
 * The instructions for products of codes. Relaxed dot products give the exact sum on every engine only with one operand
 * in 0..127 and the other in -128..127; they take twice as many products as i16 pairs.
 */
export const productIsa = (
  target: Isa,
  input: CodeInterval | null | undefined,
  weights: CodeInterval | null | undefined,
): Isa => (target === 'relaxed' && fitsI8(input) && within(weights, -128, 127) ? 'relaxed' : 'simd');

/** The first row of the table that holds a matrix product. */
function rowOf(p: Omit<GemmParams, 'tile'>): GemmRow {
  const { cols, columns } = joinRows(p);
  const arithmetic = gemmArithmetic(p);
  const fits = (limit: number | null, n: number): boolean => limit === null || n <= limit;
  const row = GEMM_TABLE.find((r) => r.arithmetic === arithmetic && fits(r.columns, columns) && fits(r.pixels, cols));
  assert(row, `no tile for ${arithmetic} products`);
  return row;
}

/** The tile of a matrix product. */
export function chooseTile(p: Omit<GemmParams, 'tile'>): GemmTile {
  const [mr, nr, unroll] = rowOf(p).tile;
  return { mr: Math.min(joinRows(p).cols, mr), nr, unroll };
}

/** Time of an extra step, and of their loop where a tile has any, in steps that are not grouped. */
const EXTRA_TIME = { step: 1.15, loop: 2 };

/** Steps that are added in int16, and what that takes out of the packed weights. */
export interface GroupChoice {
  readonly group: number;
  readonly weights: Int8Array;
  readonly extras: readonly (readonly ExtraStep[])[];
}

/** The groups of steps that make a relaxed product with these packed weights the fastest; null: none. */
export function chooseGroup(p: GemmParams, packed: Int8Array): GroupChoice | null {
  const { groups } = rowOf(p);
  if (!groups || !canGroup(p)) return null;
  const steps = p.taps.ySegments * p.taps.xSegments * stepsPerSegment(p);
  let [best, least] = [null as GroupChoice | null, Number.POSITIVE_INFINITY];
  for (const [group, time] of groups) {
    const weights = packed.slice();
    const extras = takeExtraSteps(p, weights, group);
    const ofTile = (count: number): number => (count > 0 ? EXTRA_TIME.loop + count * EXTRA_TIME.step : 0);
    const cost = extras.reduce((sum, { length }) => sum + steps * time + ofTile(length), 0);
    if (cost < Math.min(least, steps * extras.length)) [best, least] = [{ group, weights, extras }, cost];
  }
  return best;
}

/** Whether Winograd is faster than what else could compute a 3x3 convolution with outputs of at least this height and width. */
export function winogradPays(rival: WinogradRival, l: { channels: number; columns: number; size: number }): boolean {
  const row = WINOGRAD_TABLE[rival];
  const storage = rival === 'f32' ? 'f32' : 'i16';
  return (
    Math.min(l.channels, l.columns) >= row.channels &&
    l.size >= row.size &&
    transformedBytes({ ...l, storage }) <= row.bytes
  );
}

/** What the choice for a depthwise convolution depends on. */
export interface DepthwiseLayer {
  readonly storage: Storage;
  readonly target: Isa;
  readonly channels: number;
  readonly taps: number;
  readonly input: CodeInterval | null;
  readonly weights: CodeInterval | null;
  /** Whether a bias can make up for sums that start beside 0. */
  readonly shifts: boolean;
  /** Centred weights. */
  weight(channel: number, tap: number): number;
}

/** The arithmetic of a depthwise convolution, its runs, and where those begin that do not begin at 0. */
export interface DepthwiseChoice extends Pick<DepthwiseParams, 'arithmetic' | 'runs' | 'started'> {
  /** Per run and channel. */
  readonly starts: readonly Int16Array[];
}

/**
 * Relative time of the arithmetics per pixel and 16 channels, fitted to measurements of 3x3 and 5x5 windows: once, per
 * step, per run for widening int16 sums, and per run that does not start at 0.
 */
const DEPTHWISE_COST: Readonly<
  Record<Exclude<DepthwiseArithmetic, 'float'>, { once: number; step: number; run: number; start: number }>
> = {
  dot: { once: 4, step: 20, run: 0, start: 0 },
  multiply: { once: 16, step: 7.5, run: 4, start: 0 },
  relaxed: { once: 25, step: 9.5, run: 5, start: 2 },
};

/** The cheapest arithmetic whose sums are proven exact for the weights of the layer. */
export function chooseDepthwise(l: DepthwiseLayer): DepthwiseChoice {
  if (l.storage === 'f32') return { arithmetic: 'float', runs: [], starts: [] };
  const candidates: [keyof typeof DEPTHWISE_COST, shifts: boolean][] = [
    ['dot', false],
    ['multiply', false],
  ];
  if (l.storage === 'i8' && productIsa(l.target, l.input, l.weights) === 'relaxed')
    candidates.push(['relaxed', false], ['relaxed', l.shifts]);
  let best: (DepthwiseChoice & { cost: number }) | null = null;
  for (const [arithmetic, shifts] of candidates) {
    const { taps: tapsPerStep, runs: inRuns } = ARITHMETIC[arithmetic];
    const none = { lengths: [], starts: [] };
    const runs = inRuns ? l.input && provenRuns({ ...l, input: l.input, tapsPerStep }, shifts) : none;
    if (!runs) continue;
    const { once, step, run, start } = DEPTHWISE_COST[arithmetic];
    const started = runs.starts.flatMap((list, i) => (list.some((v) => v !== 0) ? [i] : []));
    const steps = Math.ceil(l.taps / tapsPerStep);
    const cost = once + steps * step + runs.lengths.length * run + started.length * start;
    if (!best || cost < best.cost)
      best = { arithmetic, runs: runs.lengths, ...(started.length ? { started } : {}), starts: runs.starts, cost };
  }
  return best ?? { arithmetic: 'dot', runs: [], starts: [] };
}
