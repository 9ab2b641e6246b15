// Written by tools/tune-kernels (npm run tune): 2026-11-25, AMD EPYC.
import type { GemmArithmetic } from './kernels/gemm-layout.js';

/** A tile of a matrix product and where it is the best that was measured. */
export interface GemmRow {
  readonly arithmetic: GemmArithmetic;
  /** Up to so many output columns and output pixels; null: any number. */
  readonly columns: number | null;
  readonly pixels: number | null;
  /** Pixels x columns in registers, and steps of K per iteration. */
  readonly tile: readonly [mr: number, nr: number, unroll: number];
  /** Time of a step in groups that are added in int16, by the steps of a group, relative to steps that are not. */
  readonly groups?: readonly (readonly [group: number, time: number])[];
  /** Median speed over the shapes of the class, GMAC/s by engine, and the next best tile with its share of the score. */
  readonly measured?: { readonly rates: Readonly<Record<string, number>>; readonly next: string };
}

/** First match wins. */
export const GEMM_TABLE: readonly GemmRow[] = [
  {
    arithmetic: 'f32',
    columns: 4,
    pixels: null,
    tile: [7, 4, 1],
    measured: { rates: { 'Node 20': 18.4, 'Node 24': 18.8 }, next: '6x4/1 98 %' },
  },
  {
    arithmetic: 'f32',
    columns: null,
    pixels: 1,
    tile: [1, 16, 2],
    measured: { rates: { 'Node 20': 17.4, 'Node 24': 17 }, next: '1x16/1 98 %' },
  },
  {
    arithmetic: 'f32',
    columns: null,
    pixels: 3,
    tile: [3, 16, 1],
    measured: { rates: { 'Node 20': 23.2, 'Node 24': 25.4 }, next: '2x16/1 100 %' },
  },
  {
    arithmetic: 'f32',
    columns: null,
    pixels: null,
    tile: [4, 8, 1],
    measured: { rates: { 'Node 20': 23.4, 'Node 24': 23.7 }, next: '2x16/1 99 %' },
  },
  {
    arithmetic: 'i16',
    columns: 4,
    pixels: null,
    tile: [7, 4, 1],
    measured: { rates: { 'Node 20': 19.1, 'Node 24': 20.3, 'Node 24 revectorized': 19.9 }, next: '6x4/1 97 %' },
  },
  {
    arithmetic: 'i16',
    columns: null,
    pixels: 1,
    tile: [1, 16, 2],
    measured: { rates: { 'Node 20': 29.3, 'Node 24': 30.1, 'Node 24 revectorized': 28.5 }, next: '1x16/1 99 %' },
  },
  {
    arithmetic: 'i16',
    columns: null,
    pixels: 3,
    tile: [3, 16, 1],
    measured: { rates: { 'Node 20': 36.2, 'Node 24': 38, 'Node 24 revectorized': 55.8 }, next: '2x16/1 99 %' },
  },
  {
    arithmetic: 'i16',
    columns: null,
    pixels: null,
    tile: [4, 8, 1],
    measured: { rates: { 'Node 20': 34, 'Node 24': 33, 'Node 24 revectorized': 56 }, next: '3x8/1 94 %' },
  },
  {
    arithmetic: 'i8',
    columns: 4,
    pixels: null,
    tile: [7, 4, 1],
    measured: { rates: { 'Node 20': 16.4, 'Node 24': 17, 'Node 24 revectorized': 17.1 }, next: '6x4/1 97 %' },
  },
  {
    arithmetic: 'i8',
    columns: null,
    pixels: 1,
    tile: [1, 16, 2],
    measured: { rates: { 'Node 20': 29, 'Node 24': 29.8, 'Node 24 revectorized': 24.2 }, next: '1x12/2 98 %' },
  },
  {
    arithmetic: 'i8',
    columns: null,
    pixels: 3,
    tile: [3, 16, 1],
    measured: { rates: { 'Node 20': 35.7, 'Node 24': 36.6, 'Node 24 revectorized': 32.4 }, next: '2x16/1 100 %' },
  },
  {
    arithmetic: 'i8',
    columns: null,
    pixels: null,
    tile: [2, 16, 1],
    measured: { rates: { 'Node 20': 22.9, 'Node 24': 26.4, 'Node 24 revectorized': 27.4 }, next: '4x8/1 95 %' },
  },
  {
    arithmetic: 'relaxed',
    columns: 4,
    pixels: null,
    tile: [7, 4, 2],
    measured: { rates: { 'Node 24': 25, 'Node 24 revectorized': 24.8 }, next: '8x4/2 100 %' },
  },
  {
    arithmetic: 'relaxed',
    columns: null,
    pixels: 1,
    tile: [1, 8, 2],
    measured: { rates: { 'Node 24': 34.8, 'Node 24 revectorized': 64.9 }, next: '1x16/2 99 %' },
  },
  {
    arithmetic: 'relaxed',
    columns: null,
    pixels: 3,
    tile: [3, 8, 2],
    measured: { rates: { 'Node 24': 46.7, 'Node 24 revectorized': 80.8 }, next: '3x16/2 100 %' },
  },
  {
    arithmetic: 'relaxed',
    columns: null,
    pixels: null,
    tile: [4, 8, 1],
    groups: [
      [2, 0.86],
      [4, 0.84],
    ],
    measured: { rates: { 'Node 24': 46.2, 'Node 24 revectorized': 78.9 }, next: '7x8/2 99 %' },
  },
];
