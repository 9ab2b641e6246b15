import { formatBytes } from '../support/format.js';
import type { ColumnEvaluation } from '../tasks/evaluate/evaluation.js';

/** A column of the table: what was measured, and what is known of the module. */
export interface ReportColumn extends ColumnEvaluation {
  /** Memory of one instance. */
  readonly memoryBytes?: number;
  /** Size of the module. */
  readonly moduleBytes?: number;
}

/** A row of the table as text, one cell per column. */
export interface ReportRow {
  readonly title: string;
  readonly cells: readonly string[];
  /** Second minus first of the two columns that are compared. */
  readonly difference: string;
  /** How many times better the second is. */
  readonly ratio: string;
}

/** The two columns that are set against each other: FP32 and INT8 where they are there, else the first and the last. */
export function comparedPair(columns: readonly { readonly name: string }[]): readonly [number, number] | undefined {
  const [fp32, int8] = ['FP32', 'INT8'].map((name) => columns.findIndex((c) => c.name === name)) as [number, number];
  if (fp32 >= 0 && int8 >= 0) return [fp32, int8];
  return columns.length > 1 ? [0, columns.length - 1] : undefined;
}

/** How the values of a row are told. */
interface Kind {
  text(value: number): string;
  difference?(value: number): string;
  /** Which way is better, where a ratio says something. */
  readonly better?: 'less' | 'more';
}

const signed = (value: number, digits: number): string => {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? (0).toFixed(digits) : value > 0 ? `+${text}` : text;
};
const figure = (value: number): string => Number(value.toPrecision(4)).toString();

const SHARE: Kind = { text: (v) => `${(100 * v).toFixed(2)} %`, difference: (v) => signed(100 * v, 2) };
const FIGURE: Kind = { text: (v) => v.toFixed(4), difference: (v) => signed(v, 4) };
const ERROR: Kind = { text: (v) => v.toExponential(2) };
const TIME: Kind = { text: (v) => `${figure(v)} ms`, better: 'less' };
const RATE: Kind = { text: (v) => figure(v), better: 'more' };
const BYTES: Kind = { text: formatBytes, better: 'less' };

function rowOf(
  title: string,
  values: readonly (number | undefined)[],
  kind: Kind,
  pair: readonly [number, number] | undefined,
): ReportRow[] {
  if (values.every((v) => v === undefined)) return [];
  const [a, b] = pair ? [values[pair[0]], values[pair[1]]] : [];
  const both = a !== undefined && b !== undefined;
  const times = both && kind.better ? (kind.better === 'less' ? a / b : b / a) : undefined;
  return [
    {
      title,
      cells: values.map((v) => (v === undefined ? '-' : kind.text(v))),
      difference: both && kind.difference ? kind.difference(b - a) : '',
      ratio: times !== undefined && Number.isFinite(times) ? `${times.toFixed(2)}x` : '',
    },
  ];
}

/** The rows of the table FP32 / INT8 / difference / ratio. */
export function evaluationRows(columns: readonly ReportColumn[], samplesPerRun = 1): ReportRow[] {
  const pair = comparedPair(columns);
  const keys = (of: (c: ReportColumn) => Readonly<Record<string, number>>): string[] => [
    ...new Set(columns.flatMap((c) => Object.keys(of(c)))),
  ];
  const row = (title: string, of: (c: ReportColumn) => number | undefined, kind: Kind): ReportRow[] =>
    rowOf(title, columns.map(of), kind, pair);
  const times = (['mean', 'p50', 'p90', 'p99'] as const).flatMap((key) =>
    row(`latency ${key}${samplesPerRun > 1 ? ` (${samplesPerRun} samples)` : ''}`, (c) => c.latency[key], TIME),
  );
  return [
    ...keys((c) => c.accuracy).flatMap((k) => row(`top-${k}`, (c) => c.accuracy[k], SHARE)),
    ...row('loss', (c) => c.loss, FIGURE),
    ...keys((c) => c.own).flatMap((name) => row(`${name} (of the model)`, (c) => c.own[name], FIGURE)),
    ...keys((c) => c.metric).flatMap((name) => row(name, (c) => c.metric[name], FIGURE)),
    ...row(`agreement with ${columns[0]?.name}`, (c) => c.agreement, { text: SHARE.text }),
    ...row(`error against ${columns[0]?.name}`, (c) => c.error, ERROR),
    ...times,
    ...row('samples per second', (c) => c.throughput, RATE),
    ...row('memory', (c) => c.memoryBytes, BYTES),
    ...row('module', (c) => c.moduleBytes, BYTES),
  ];
}
