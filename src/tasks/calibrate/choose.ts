import type { Quant } from '../../ir/type.js';
import type { ScaleTarget } from '../../passes/scale-targets.js';
import { chooseRange } from '../../quant/choose-range.js';
import { gridError, gridOver, rangeOfGrid, sqnr } from '../../quant/grids.js';
import type { Histogram } from '../../quant/histogram.js';
import type { Algorithm, Range, Scheme } from '../../quant/thresholds.js';
import { type AlgorithmChoice, algorithmFor } from './algorithms.js';
import type { Observed, Statistics } from './statistics.js';

/** What calibration found and chose for one value. */
export interface ValueReport {
  readonly name: string;
  /** The value whose numbers chose the grid, where data only move. */
  readonly source: string;
  readonly op: string;
  readonly algorithm: Algorithm;
  /** The range that was seen. */
  readonly range: Range;
  /** The range that the grid covers. */
  readonly covered: Range;
  readonly dtype: Quant['dtype'];
  readonly scale: number;
  readonly zeroPoint: number;
  /** Share of the elements beyond the grid. */
  readonly clipped: number;
  /** Signal to quantization noise in dB; null where there is no noise. */
  readonly sqnr: number | null;
}

/** How grids are chosen. */
export interface ChoiceOptions {
  readonly algorithms: AlgorithmChoice;
  readonly percentile: number;
}

/** Grids of one scheme for all targets. */
export interface Choice {
  readonly scheme: Scheme;
  readonly values: ReadonlyMap<string, Quant>;
  readonly reports: readonly ValueReport[];
  /** Mean signal to quantization noise over the values with noise, in dB. */
  readonly sqnr: number;
}

/** Chooses the grids of all targets in one scheme. */
export function chooseGrids(
  targets: readonly ScaleTarget[],
  { values }: Statistics,
  scheme: Scheme,
  options: ChoiceOptions,
): Choice {
  const bySource = new Map<string, { readonly grid: Quant; readonly report: Omit<ValueReport, 'name'> }>();
  const reports: ValueReport[] = [];
  const grids = new Map<string, Quant>();
  for (const { name, source, op } of targets) {
    const observed = values.get(source);
    if (!observed) throw new Error(`nothing was seen of "${source}"`);
    const made = bySource.get(source) ?? gridFor(source, op, observed, scheme, options);
    bySource.set(source, made);
    grids.set(name, made.grid);
    reports.push({ name, ...made.report });
  }
  const noisy = [...bySource.values()].flatMap(({ report }) => report.sqnr ?? []);
  return { scheme, values: grids, reports, sqnr: noisy.reduce((a, b) => a + b, 0) / Math.max(noisy.length, 1) };
}

function gridFor(
  source: string,
  op: string,
  { histogram, average }: Observed,
  scheme: Scheme,
  { algorithms, percentile }: ChoiceOptions,
): { grid: Quant; report: Omit<ValueReport, 'name'> } {
  const algorithm = algorithmFor(algorithms, op);
  const range = algorithm === 'moving-average' ? average : chooseRange(histogram, algorithm, scheme, percentile);
  if (!range) throw new Error(`no average was kept of "${source}"`);
  const grid = gridOver(range, scheme);
  const error = gridError(histogram.elements(), grid);
  const db = sqnr(error);
  const report = {
    source,
    op,
    algorithm,
    range: { lo: histogram.min, hi: histogram.max },
    covered: rangeOfGrid(grid),
    dtype: grid.dtype,
    scale: grid.scales[0] as number,
    zeroPoint: grid.zeroPoints[0] as number,
    clipped: error.clipped,
    sqnr: Number.isFinite(db) ? db : null,
  };
  return { grid, report };
}

/** How much better than s8, in dB over all values, u8 has to be for `auto` to take it. */
const MARGIN = 1;

/** The better of the two schemes: s8, unless u8 rounds measurably less. */
export const betterScheme = (s8: Choice, u8: Choice): Choice => (u8.sqnr - s8.sqnr > MARGIN ? u8 : s8);

/** How far the greatest magnitude may lie beyond the one that one in 10,000 elements passes, or two of few. */
const OUTLIER_FACTOR = 32;

/** Elements of a value from which outliers can be told from its tail, and how many are left out at least. */
const [ENOUGH, LEFT_OUT] = [1000, 2];

/** What is suspicious about a value, in words; null where nothing is. */
export function suspicion(name: string, histogram: Histogram): string | null {
  const { min, max } = histogram;
  if (min === 0 && max === 0) return `"${name}" is 0 everywhere: a dead part of the network, or empty samples`;
  if (min === max) return `"${name}" is ${min} everywhere: a constant`;
  if (histogram.count < ENOUGH) return null;
  const kept = 100 - Math.max(0.01, (100 * LEFT_OUT) / histogram.count);
  const { lo, hi } = chooseRange(histogram, 'percentile', 'u8', kept);
  const [most, usual] = [Math.max(-min, max), Math.max(-lo, hi)];
  if (usual > 0 && most > OUTLIER_FACTOR * usual)
    return `"${name}" has huge outliers: ${most.toPrecision(4)}, while ${Number(kept.toFixed(2))} % of it lie within ${usual.toPrecision(4)}`;
  return null;
}
