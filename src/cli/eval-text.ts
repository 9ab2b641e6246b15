import { comparedPair, evaluationRows, type ReportColumn } from '../report/evaluation-rows.js';
import type { Evaluation } from '../tasks/evaluate/evaluation.js';
import type { Flags } from './command.js';
import { alignColumns, resultColors } from './terminal.js';

/** Lines of a list in the terminal; the JSON and the page have all. */
const SHOWN = 20;

const more = (all: number): string[] => (all > SHOWN ? [resultColors.dim(`and ${all - SHOWN} more`)] : []);
const titled = (title: string, lines: readonly string[]): string[] => ['', resultColors.bold(title), ...lines];

/** The table FP32 / INT8 / difference / ratio. */
function tableLines(columns: readonly ReportColumn[], samplesPerRun: number): string[] {
  const compares = comparedPair(columns) !== undefined;
  const head = ['', ...columns.map((c) => c.name), ...(compares ? ['difference', 'ratio'] : [])];
  const rows = evaluationRows(columns, samplesPerRun).map(({ title, cells, difference, ratio }) => [
    title,
    ...cells,
    ...(compares ? [difference, ratio] : []),
  ]);
  const [first, ...lines] = alignColumns([head, ...rows], head.map((_, i) => i).slice(1));
  return [resultColors.bold(first as string), ...lines];
}

/** A class in words. */
export const classText = (label: number, names: readonly string[]): string =>
  names[label] ? `${label} (${names[label]})` : String(label);

function confusionLines(
  { confusion }: Evaluation,
  columns: readonly ReportColumn[],
  names: readonly string[],
): string[] {
  return confusion.flatMap((list, c) => {
    const rows = list
      .slice(0, SHOWN)
      .map(({ label, predicted, count }) => [
        String(count),
        classText(label, names),
        '->',
        classText(predicted, names),
      ]);
    return titled(`taken for another class by ${columns[c]?.name}`, [...alignColumns(rows, [0]), ...more(list.length)]);
  });
}

function perClassLines({ perClass }: Evaluation, columns: readonly ReportColumn[], names: readonly string[]): string[] {
  const rows = perClass.map(({ label, samples, correct }) => [
    classText(label, names),
    String(samples),
    ...correct.map((n) => `${((100 * n) / samples).toFixed(1)} %`),
  ]);
  const lines = alignColumns(
    [['class', 'samples', ...columns.map((c) => c.name)], ...rows],
    columns.map((_, i) => i + 2).concat(1),
  );
  return titled('accuracy by class', lines);
}

function changedLines({ changed }: Evaluation, columns: readonly ReportColumn[], names: readonly string[]): string[] {
  const rows = changed
    .slice(0, SHOWN)
    .map(({ name, label, predicted }) => [
      name,
      label === undefined ? '-' : classText(label, names),
      ...predicted.map((p) => classText(p, names)),
    ]);
  const lines =
    rows.length > 0 ? alignColumns([['sample', 'label', ...columns.map((c) => c.name)], ...rows]) : ['none'];
  return titled(`${changed.length} prediction${changed.length === 1 ? '' : 's'} changed`, [
    ...lines,
    ...more(changed.length),
  ]);
}

/** What was found, for a person. */
export function evaluationText(
  evaluation: Evaluation,
  columns: readonly ReportColumn[],
  flags: Flags,
  names: readonly string[],
): string {
  return [
    ...tableLines(columns, evaluation.samplesPerRun),
    ...(flags.on('confusion') ? confusionLines(evaluation, columns, names) : []),
    ...(flags.on('per-class') ? perClassLines(evaluation, columns, names) : []),
    ...(flags.on('changed') ? changedLines(evaluation, columns, names) : []),
  ].join('\n');
}
