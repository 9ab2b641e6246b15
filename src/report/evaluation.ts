import type { ModuleInfo } from '../runtime/abi.js';
import { formatBytes, formatShare } from '../support/format.js';
import type { Evaluation } from '../tasks/evaluate/evaluation.js';
import type { Timeline } from '../tasks/trace.js';
import { histogram } from './charts.js';
import { comparedPair, evaluationRows, type ReportColumn } from './evaluation-rows.js';
import { type Html, html, raw } from './html.js';
import { layerSection } from './layer-section.js';
import { renderPage, type Section, type Tile } from './page.js';
import { facts, numberCell, table } from './table.js';

/** What the page of an evaluation shows. */
export interface EvaluationReport {
  readonly subject: string;
  readonly data: string;
  readonly machine: {
    readonly engine: string;
    readonly cpu: string;
    readonly cores: number;
    readonly peakMemory: number;
  };
  readonly columns: readonly (ReportColumn & { readonly info?: ModuleInfo })[];
  readonly evaluation: Evaluation;
  /** The time per layer of the column that is compared. */
  readonly layers?: Timeline;
  readonly classNames: readonly string[];
  /** Pictures of samples as data URLs, by index. */
  readonly pictures: ReadonlyMap<number, string>;
}

/** Rows of a list; who needs more takes the JSON. */
const MOST = 200;

const STYLE = `.sample { display: flex; gap: 0.6rem; align-items: center; }
.sample img { width: 64px; height: 64px; object-fit: contain; }
.matrix td { text-align: right; }
.right { font-weight: 600; }`;

const className = (label: number, names: readonly string[]): string =>
  names[label] ? `${label} ${names[label]}` : String(label);

function resultSection({ columns, evaluation }: EvaluationReport): Section {
  const compares = comparedPair(columns) !== undefined;
  const heads = ['', ...columns.map((c) => c.name), ...(compares ? ['difference', 'ratio'] : [])];
  const rows = evaluationRows(columns, evaluation.samplesPerRun).map((row) => [
    row.title,
    ...row.cells,
    ...(compares ? [row.difference, row.ratio] : []),
  ]);
  return {
    id: 'results',
    title: 'Results',
    lead: 'Accuracy differences are in points; a ratio above 1 means that the second is better.',
    body: table(
      heads.map((title, i) => ({ title, kind: i === 0 ? 'text' : 'number' })),
      rows,
    ),
  };
}

function latencySection({ columns, evaluation }: EvaluationReport): Section {
  const charts = columns.map((column, i) => {
    const { mean, p50, p90, p99 } = column.latency;
    const marks = [
      { label: 'p50', value: p50 },
      { label: 'p90', value: p90 },
      { label: 'p99', value: p99 },
    ];
    const label = `Latency of ${column.name}`;
    const tone = column.name === 'INT8' ? 'int8' : 'float';
    return html`<h3>${column.name}</h3>
<p class="muted">mean ${mean.toFixed(3)} ms over ${evaluation.times[i]?.length ?? 0} runs</p>
${histogram(evaluation.times[i] ?? [], { unit: 'ms', label, marks, tone })}`;
  });
  return { id: 'latency', title: 'Latency', lead: 'Single runs, without warm-up.', body: html`${charts}` };
}

/** The picture of a sample beside its name. */
const sampleCell = ({ pictures }: EvaluationReport, index: number, name: string): Html => {
  const picture = pictures.get(index);
  return html`<div class="sample">${picture ? html`<img src="${picture}" alt="">` : null}<span>${name}</span></div>`;
};

function changedSection(report: EvaluationReport): Section {
  const { columns, evaluation, classNames: names } = report;
  const rows = evaluation.changed
    .slice(0, MOST)
    .map(({ index, name, label, predicted }) => [
      { show: sampleCell(report, index, name), sort: name },
      label === undefined ? '' : className(label, names),
      ...predicted.map((p) => html`<span class="${p === label ? 'right' : 'wrong'}">${className(p, names)}</span>`),
    ]);
  const more = evaluation.changed.length > MOST ? html`<p class="muted">The first ${MOST} are shown.</p>` : null;
  const heads = ['sample', 'label', ...columns.map((c) => c.name)];
  return {
    id: 'changed',
    title: 'Changed predictions',
    lead: `${evaluation.changed.length} of ${evaluation.samples} samples get different classes.`,
    body: html`${
      rows.length > 0
        ? table(
            heads.map((title) => ({ title })),
            rows,
          )
        : html`<p>None.</p>`
    }${more}`,
    style: STYLE,
  };
}

function confusionSection({ columns, evaluation, classNames: names }: EvaluationReport): Section {
  const lists = columns.map((column, c) => {
    const list = evaluation.confusion[c] ?? [];
    const rows = list
      .slice(0, MOST)
      .map((x) => [className(x.label, names), className(x.predicted, names), numberCell(x.count, 0)]);
    const heads = [{ title: 'label' }, { title: 'predicted' }, { title: 'samples', kind: 'number' as const }];
    return html`<details${c === columns.length - 1 ? raw(' open') : null}><summary>${column.name}: ${list.reduce((n, x) => n + x.count, 0)} wrong</summary>${rows.length > 0 ? table(heads, rows) : null}</details>`;
  });
  return {
    id: 'confusion',
    title: 'Confusion',
    lead: 'Which classes are taken for others, the most frequent first.',
    body: html`${lists}`,
  };
}

function classSection({ columns, evaluation, classNames: names }: EvaluationReport): Section {
  const rows = evaluation.perClass.map(({ label, samples, correct }) => [
    { show: className(label, names), sort: label },
    numberCell(samples, 0),
    ...correct.map((n) => numberCell((100 * n) / samples, 1)),
  ]);
  const heads = ['class', 'samples', ...columns.map((c) => `${c.name} %`)];
  return {
    id: 'classes',
    title: 'Accuracy by class',
    body: html`<details><summary>${rows.length} classes</summary>${table(
      heads.map((title, i) => ({ title, kind: i === 0 ? 'text' : 'number' })),
      rows,
    )}</details>`,
  };
}

function aboutSection({ subject, data, machine, columns, evaluation }: EvaluationReport): Section {
  const { batches, threads, samplesPerRun, bad } = evaluation;
  const modules = columns.flatMap(({ name, info, moduleBytes = 0 }) =>
    info
      ? [
          [
            `module of ${name}`,
            html`${formatBytes(moduleBytes)}, target ${info.target}; SHA-256 of the model <code>${info.hashes.model}</code>, of the options <code>${info.hashes.options}</code>`,
          ] as const,
        ]
      : [],
  );
  const left = bad.map(({ name, reason }) => html`<li>${name}: ${reason}</li>`);
  return {
    id: 'about',
    title: 'How it was measured',
    body: html`${facts([
      ['model', subject],
      ['data', data],
      [
        'batches',
        `${batches}, ${threads} thread${threads > 1 ? 's' : ''}, ${samplesPerRun} sample${samplesPerRun > 1 ? 's' : ''} a run`,
      ],
      ['engine', machine.engine],
      ['machine', `${machine.cpu}, ${machine.cores} cores`],
      ['peak memory', formatBytes(machine.peakMemory)],
      ...modules,
    ])}${left.length > 0 ? html`<h3>${left.length} samples left out</h3><ul>${left}</ul>` : null}`,
  };
}

function tilesOf({ columns, evaluation }: EvaluationReport): Tile[] {
  const pair = comparedPair(columns);
  const last = columns[pair?.[1] ?? columns.length - 1] as ReportColumn;
  const first = pair ? columns[pair[0]] : undefined;
  const accuracy = Object.entries({ ...last.metric, ...last.accuracy })[0];
  return [
    { label: 'samples', value: String(evaluation.samples) },
    ...(accuracy
      ? [
          {
            label: /^\d+$/.test(accuracy[0]) ? `top-${accuracy[0]} ${last.name}` : accuracy[0],
            value: formatShare(accuracy[1]),
          },
        ]
      : []),
    { label: `latency ${last.name}`, value: `${last.latency.mean.toPrecision(3)} ms` },
    ...(first
      ? [
          {
            label: 'speedup',
            value: `${(first.latency.mean / last.latency.mean).toFixed(2)}x`,
            note: `${first.name} to ${last.name}`,
          },
        ]
      : []),
  ];
}

/** The page of an evaluation: table, latency, changed predictions with pictures, confusion, classes, conditions. */
export function evaluationPage(report: EvaluationReport): string {
  const { evaluation, columns } = report;
  const { times: _, ...figures } = evaluation;
  const classified = columns.some((c) => Object.keys(c.accuracy).length > 0);
  return renderPage({
    title: report.subject,
    kicker: 'Evaluation',
    subtitle: report.data,
    tiles: tilesOf(report),
    sections: [
      resultSection(report),
      latencySection(report),
      ...(report.layers ? [layerSection(report.layers)] : []),
      ...(columns.length > 1 ? [changedSection(report)] : []),
      ...(classified ? [confusionSection(report), classSection(report)] : []),
      aboutSection(report),
    ],
    data: { subject: report.subject, data: report.data, machine: report.machine, ...figures },
  });
}
