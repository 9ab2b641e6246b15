/** From measured rates to the rows of the table, and the table as a file. */
import type { GemmRow } from '../../src/codegen/gemm-table.js';
import { GROUPS, tileKey } from './shapes.js';

/** What an engine counts for that users have to ask for. */
export const OPTIONAL_WEIGHT = 0.5;

/** What one engine measured: per class, the rates of every tile ("4x8/1") on the shapes of the class, in GMAC/s. */
export interface Measured {
  readonly environment: string;
  readonly weight: number;
  readonly rates: readonly Readonly<Record<string, readonly number[]>>[];
}

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1] as number;

/** The share of each tile of the best one, the median over the shapes: a disturbed shape does not decide. */
function shares(rates: Readonly<Record<string, readonly number[]>>): Map<string, number> {
  const tiles = Object.entries(rates);
  const best = (tiles[0]?.[1] ?? []).map((_, shape) => Math.max(...tiles.map(([, list]) => list[shape] as number)));
  return new Map(tiles.map(([tile, list]) => [tile, median(list.map((rate, i) => rate / (best[i] as number)))]));
}

/** "4x8/1" as numbers. */
const parseTile = (key: string): GemmRow['tile'] => key.split(/[x/]/).map(Number) as [number, number, number];

/**
 * The tile with the best weighted geometric mean of its shares over all engines, what it reached, and the next best. Where steps
 * can be grouped, tiles are judged by their speed with groups of two: most layers have them.
 */
export function rank(measured: readonly Measured[], index: number): Pick<GemmRow, 'tile' | 'groups' | 'measured'> {
  const all = measured.map((m) => ({ of: shares(m.rates[index] as Record<string, readonly number[]>), ...m }));
  const weights = all.reduce((sum, { weight }) => sum + weight, 0);
  const score = (tile: string): number =>
    all.reduce((product, { of, weight }) => product * (of.get(tile) ?? 0) ** (weight / weights), 1);
  const keys = [...(all[0]?.of.keys() ?? [])];
  const grouped = keys.some((key) => key.includes('g'));
  const judged = (tile: string): string => (grouped ? `${tile}g${GROUPS[0]}` : tile);
  const ranked = keys
    .filter((key) => !key.includes('g') && keys.includes(judged(key)))
    .sort((a, b) => score(judged(b)) - score(judged(a)));
  const [first, second] = ranked as [string, string];
  const rates = measured.map(({ environment, rates }) => [
    environment,
    Number(median(rates[index]?.[first] ?? []).toFixed(1)),
  ]);
  const next = `${second} ${((100 * score(judged(second))) / score(judged(first))).toFixed(0)} %`;
  const [mr, nr, unroll] = parseTile(first);
  const groups = GROUPS.map((group) => [group, tileKey({ mr, nr, unroll: 1, group })] as const)
    .filter(([, key]) => keys.includes(key))
    .map(([group, key]) => [group, Number((score(first) / score(key)).toFixed(2))] as const);
  return {
    tile: [mr, nr, unroll],
    ...(groups.length ? { groups } : {}),
    measured: { rates: Object.fromEntries(rates), next },
  };
}

const rowText = ({ arithmetic, columns, pixels, tile, groups, measured }: GemmRow): string => {
  const rates = Object.entries(measured?.rates ?? {}).map(([name, rate]) => `'${name}': ${rate}`);
  const fields = [
    `arithmetic: '${arithmetic}'`,
    `columns: ${columns}`,
    `pixels: ${pixels}`,
    `tile: [${tile.join(', ')}]`,
    ...(groups ? [`groups: [${groups.map((group) => `[${group.join(', ')}]`).join(', ')}]`] : []),
  ];
  return [
    '  {',
    ...fields.map((field) => `    ${field},`),
    `    measured: { rates: { ${rates.join(', ')} }, next: '${measured?.next}' },`,
    '  },',
  ].join('\n');
};

/** The content of src/codegen/gemm-table.ts. */
export const tableModule = (
  rows: readonly GemmRow[],
  about: string,
): string => `// Written by tools/tune-kernels (npm run tune): ${about}.
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
${rows.map(rowText).join('\n')}
];
`;
