import type { Calibrated } from '../tasks/calibrate/calibrate.js';
import type { ValueReport } from '../tasks/calibrate/choose.js';
import { alignColumns, colors, resultColors } from './terminal.js';

const short = (v: number): string => String(Number(v.toPrecision(4)));
const decibels = (v: number | null): string => (v === null ? 'exact' : `${v.toFixed(1)} dB`);
const percent = (v: number): string => (v === 0 ? '' : v < 1e-5 ? '< 0.001 %' : `${(100 * v).toFixed(3)} %`);

/** What was done, in lines for people. */
export function reportText(
  { samples, scheme, schemes, values, warnings, recovered }: Calibrated,
  more: { readonly time: string; readonly skipped: number; readonly scales?: string | undefined },
): string {
  const line = (title: string, text: string): string => `  ${colors.dim(title.padEnd(8))} ${text}`;
  const tried = Object.entries(schemes).map(([name, db]) => `${name} ${decibels(db)}`);
  const noisy = values.filter((v) => v.sqnr !== null);
  const mean = noisy.reduce((sum, v) => sum + (v.sqnr ?? 0), 0) / Math.max(noisy.length, 1);
  return [
    line('samples', `${samples}${more.skipped > 0 ? `, ${more.skipped} left out` : ''}`),
    line('values', `${values.length} on grids, mean signal to rounding noise ${decibels(mean)}`),
    line('scheme', `${scheme}${tried.length > 1 ? ` (${tried.join(', ')} on average)` : ''}`),
    ...(recovered ? [line('recovery', recoveryText(recovered))] : []),
    ...(more.scales === undefined ? [] : [line('scales', more.scales)]),
    line('time', more.time),
    ...warnings.map((text) => `${colors.yellow('warning:')} ${text}`),
  ].join('\n');
}

const waysText = (ways: readonly string[]): string => (ways.length === 0 ? 'none' : ways.join(', '));

/** What recovery kept, and what came of the ways on the samples set aside. */
function recoveryText({ ways, judged, held }: NonNullable<Calibrated['recovered']>): string {
  const compared = judged.map(({ ways: tried, sqnr }) => `${waysText(tried)} ${sqnr.toFixed(1)} dB`);
  return waysText(ways) + (held > 0 ? ` (${held} samples set aside: ${compared.join('; ')})` : '');
}

const row = (v: ValueReport): string[] => [
  v.name,
  v.op,
  v.algorithm,
  `${short(v.range.lo)}..${short(v.range.hi)}`,
  `${short(v.covered.lo)}..${short(v.covered.hi)}`,
  `${v.dtype} s=${short(v.scale)} zp=${v.zeroPoint}`,
  percent(v.clipped),
  decibels(v.sqnr),
];

/** A line per value. */
export function valueRows({ values }: Calibrated): string[] {
  const head = ['value', 'made by', 'algorithm', 'seen', 'covered', 'grid', 'clipped', 'SQNR'];
  const [first, ...lines] = alignColumns([head, ...values.map(row)]);
  return [resultColors.bold(first as string), ...lines];
}

/** The report as plain data. */
export const reportJson = ({ samples, scheme, schemes, values, warnings, recovered }: Calibrated): object => ({
  samples,
  scheme,
  schemes,
  recovered,
  values,
  warnings,
});
