import type { Storage } from '../kernel.js';
import type { DepthwiseParams } from './depthwise.js';

/**
 * How the products of taps are made and summed.
 *
 * - float: one tap of 4 channels.
 * - dot: two taps of 8 channels, interleaved, by a dot product of i16 pairs into int32. Always exact.
 * - multiply: one tap of 8 channels, i16 products added in int16 over a run of taps.
 * - relaxed: two taps of 16 channels, interleaved, by a relaxed dot product of i8 pairs, added in int16 over a run of
 *   steps. The input is in 0..127, the centred weights in -128..127, so that a pair always fits: 2 * 127 * 128 < 2^15.
 *
 * Sums in int16 are exact where the sum of every run fits, since wrapping inside a run is harmless (depthwise-runs.ts).
 * Relaxed runs may start beside 0, which makes more sums fit; the bias makes up for that.
 */
export type DepthwiseArithmetic = 'float' | 'dot' | 'multiply' | 'relaxed';

/** Channels per block, taps per step, how weights are stored, and whether sums are widened at the end of runs. */
export const ARITHMETIC: Readonly<
  Record<DepthwiseArithmetic, { block: number; taps: number; weights: Storage; runs: boolean }>
> = {
  float: { block: 4, taps: 1, weights: 'f32', runs: false },
  dot: { block: 8, taps: 2, weights: 'i16', runs: false },
  multiply: { block: 8, taps: 1, weights: 'i16', runs: true },
  relaxed: { block: 16, taps: 2, weights: 'i8', runs: true },
};

/** Taps that are unrolled; larger windows loop over their rows. */
export const MAX_UNROLLED_TAPS = 32;

/**
 * How the packed weights are arranged: [block of channels][group of taps][step][channel][tap of the step]. Behind the steps
 * of a block lie the starts of those runs that have any, an int16 per channel each.
 */
export interface DepthwiseLayout {
  /** Channels per block. */
  readonly block: number;
  /** Taps per step. */
  readonly taps: number;
  /** Groups of taps, one after the other in a loop, and the taps of each: all, or one row of the window. */
  readonly groups: number;
  readonly groupTaps: number;
  /** Steps per group. */
  readonly steps: number;
  /** Weight vectors per step, and per start of a run. */
  readonly stepVectors: number;
  /** Steps of a block, and starts of its runs. */
  readonly blockSteps: number;
}

/** The layout that an arithmetic gives a window; large windows are looped over row by row. */
export function depthwiseLayout(p: Pick<DepthwiseParams, 'arithmetic' | 'taps' | 'started'>): DepthwiseLayout {
  const { ySegments, xSegments } = p.taps;
  const { block, taps } = ARITHMETIC[p.arithmetic];
  const groups = ySegments * xSegments > MAX_UNROLLED_TAPS ? ySegments : 1;
  const groupTaps = (ySegments * xSegments) / groups;
  const stepVectors = p.arithmetic === 'float' || p.arithmetic === 'multiply' ? 1 : 2;
  const steps = Math.ceil(groupTaps / taps);
  return { block, taps, groups, groupTaps, steps, stepVectors, blockSteps: groups * steps + (p.started ?? []).length };
}
