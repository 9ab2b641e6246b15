/** What is measured: classes of matrix products with shapes of common networks, and the tiles that could serve them. */
import type { GemmRow } from '../../src/codegen/gemm-table.js';
import type { GemmParams, GemmTile } from '../../src/codegen/kernels/gemm.js';
import { MAX_GROUPED_COLUMNS } from '../../src/codegen/kernels/gemm-groups.js';
import type { GemmArithmetic } from '../../src/codegen/kernels/gemm-layout.js';

/** A product of `pixels` rows of length `k` with `columns` columns; `segments` of them make an implicit convolution. */
export interface Shape {
  readonly pixels: number;
  readonly k: number;
  readonly columns: number;
  /** 3: a 3x3 convolution on padded images of `pixels` = width squared, k = 3 * channels. */
  readonly segments?: number;
}

/** Shapes that one row of the table serves. */
export interface ShapeClass extends Pick<GemmRow, 'columns' | 'pixels'> {
  readonly shapes: readonly Shape[];
}

/** From the narrowest to the widest: the order of the table. */
export const CLASSES: readonly ShapeClass[] = [
  {
    columns: 4,
    pixels: null,
    shapes: [
      { pixels: 196, k: 128, columns: 4 },
      { pixels: 3136, k: 32, columns: 3 },
      { pixels: 1024, k: 16, columns: 4 },
    ],
  },
  {
    columns: null,
    pixels: 1,
    shapes: [
      { pixels: 1, k: 1024, columns: 1000 },
      { pixels: 1, k: 256, columns: 64 },
      { pixels: 1, k: 2048, columns: 1000 },
    ],
  },
  {
    columns: null,
    pixels: 3,
    shapes: [
      { pixels: 2, k: 512, columns: 512 },
      { pixels: 3, k: 256, columns: 1024 },
    ],
  },
  {
    columns: null,
    pixels: null,
    shapes: [
      { pixels: 3136, k: 24, columns: 144 },
      { pixels: 3136, k: 64, columns: 256 },
      { pixels: 3136, k: 144, columns: 24 },
      { pixels: 196, k: 96, columns: 576 },
      { pixels: 196, k: 576, columns: 96 },
      { pixels: 49, k: 320, columns: 1280 },
      { pixels: 49, k: 2048, columns: 512 },
      { pixels: 784, k: 3 * 128, columns: 128, segments: 3 },
    ],
  },
];

/** Every arithmetic and the parameters that make it. */
export const ARITHMETICS: Readonly<Record<GemmArithmetic, Pick<GemmParams, 'storage' | 'isa'>>> = {
  f32: { storage: 'f32', isa: 'simd' },
  i16: { storage: 'i16', isa: 'simd' },
  i8: { storage: 'i8', isa: 'simd' },
  relaxed: { storage: 'i8', isa: 'relaxed' },
};

/** Accumulators, weights, an activation and a constant share 16 registers; a few more may be spilled at no cost. */
const MAX_VECTORS = 18;

/** Steps that are added in int16, for the tiles of classes with many pixels and columns. */
export const GROUPS = [2, 4] as const;

/** A tile with groups of steps beside the same tile without. */
export const grouped = (
  shapes: ShapeClass,
  arithmetic: GemmArithmetic,
  tiles: readonly GemmTile[],
): readonly GemmTile[] =>
  arithmetic === 'relaxed' && shapes.pixels === null && shapes.columns === null
    ? tiles
        .filter(({ nr, unroll }) => nr <= MAX_GROUPED_COLUMNS && unroll === 1)
        .flatMap((tile) => GROUPS.map((group) => ({ ...tile, group })))
    : [];

/** How tiles are named in figures: "4x8/1", "4x8/1g2". */
export const tileKey = ({ mr, nr, unroll = 1, group = 1 }: GemmTile): string =>
  `${mr}x${nr}/${unroll}${group > 1 ? `g${group}` : ''}`;

/** The tiles that can serve a class. */
export function candidates({ columns, pixels }: ShapeClass): readonly GemmTile[] {
  const list: GemmTile[] = [];
  for (const nr of [4, 8, 12, 16])
    for (let mr = 1; mr <= 8; mr++) {
      const vectors = (nr / 4) * (mr + 1) + 2;
      if (vectors > MAX_VECTORS || mr > (pixels ?? mr) || nr > Math.max(4, columns ?? nr)) continue;
      if (pixels === null && mr * nr < 16) continue; // too small to share anything
      for (const unroll of [1, 2]) list.push({ mr, nr, unroll });
    }
  return list;
}
