import type { Hashes } from '../runtime/abi.js';
import { formatBytes } from '../support/format.js';
import {
  type BenchCase,
  type BenchResult,
  baseOf,
  type CaseResult,
  calmRounds,
  latencyOf,
  type Machine,
  nameOf,
  published,
  speedup,
} from '../tasks/bench.js';
import type { Timeline } from '../tasks/trace.js';
import { barCell, histogram, type Tone } from './charts.js';
import { type Html, html, type Part } from './html.js';
import { layerSection } from './layer-section.js';
import type { Page, Section, Tile } from './page.js';
import { type Cell, facts, table } from './table.js';

/** Everything that the page of a benchmark tells. */
export interface BenchReport {
  readonly bench: BenchResult;
  readonly machine: Machine;
  readonly core?: string;
  /** ISO date. */
  readonly date: string;
  readonly timelines: readonly Timeline[];
  /** Hashes of the builds by subject and case. */
  readonly builds: readonly { readonly subject: string; readonly name: string; readonly hashes: Hashes }[];
  readonly notes: readonly string[];
}

const TONES: Readonly<Record<BenchCase['kind'], Tone>> = {
  int8: 'int8',
  module: 'int8',
  fp32: 'float',
  peer: 'boundary',
};

const ms = (value: number): string => value.toPrecision(value < 1000 ? 3 : 4);
/** Two lines, the second one small. */
const twoLines = (first: Part, second: Part): Html =>
  html`${first}${second ? html`<div class="small muted">${second}</div>` : null}`;

const bytesCell = (value: number | undefined, note: string): Cell =>
  value === undefined ? { show: '', sort: 0 } : { show: twoLines(formatBytes(value), note), sort: value };

function resultRow(result: CaseResult, bench: BenchResult, most: number, several: boolean): Cell[] {
  const { p50, p90, p99 } = latencyOf(result, bench);
  const base = baseOf(result, bench);
  const ratio = result === base ? 1 : speedup(result, base, bench);
  const { calm } = calmRounds(result, bench);
  const { subject, kind, size, gzip, instance } = result.case;
  const start = result.load + result.firstRun;
  const memory = instance === undefined ? '' : `instance ${formatBytes(instance)}`;
  return [
    twoLines(nameOf(result), several && subject),
    { show: ms(p50), sort: p50 },
    { show: barCell(p50 / most, TONES[kind], `${ms(p50)} ms`), sort: p50 },
    { show: ms(p90), sort: p90 },
    { show: ms(p99), sort: p99 },
    { show: html`<b>${ratio.toFixed(2)}×</b>`, sort: ratio },
    { show: twoLines(`${ms(start)} ms`, `first run ${ms(result.firstRun)}`), sort: start },
    bytesCell(result.memory, memory),
    bytesCell(size, gzip === undefined ? '' : `gzip ${formatBytes(gzip)}`),
    `${calm}/${result.rounds.length}`,
  ];
}

/** The table of all cases. */
export function resultSection(bench: BenchResult): Section {
  const bases = [...new Set(bench.results.map((r) => baseOf(r, bench).case.name))].join(' or ');
  const most = Math.max(...bench.results.map((r) => latencyOf(r, bench).p50));
  const several = new Set(bench.results.map((r) => r.case.subject)).size > 1;
  const columns = [
    { title: 'case', kind: 'wrap' },
    { title: 'ms', kind: 'number', hint: 'Median latency of a run' },
    { title: '', kind: 'bar' },
    { title: 'p90', kind: 'number' },
    { title: 'p99', kind: 'number' },
    { title: 'speed', kind: 'number', hint: `How many times as fast as ${bases}, the median over interleaved rounds` },
    {
      title: 'cold start',
      kind: 'number',
      hint: 'In a fresh process: reading, compiling, instantiating, and the first run',
    },
    { title: 'memory', kind: 'number', hint: 'Peak of the process; memory of the WebAssembly instance' },
    { title: 'file', kind: 'number' },
    { title: 'calm', kind: 'number', hint: 'Rounds that no other process disturbed' },
  ] as const;
  return {
    id: 'results',
    title: 'Results',
    lead: `Speed is relative to ${bases}: each round measures every case once, and the median of the rounds' ratios is given.`,
    body: table(
      columns,
      bench.results.map((r) => resultRow(r, bench, most, several)),
    ),
  };
}

/** Histograms of single runs. */
export function latencySection(bench: BenchResult): Section {
  const several = new Set(bench.results.map((r) => r.case.subject)).size > 1;
  const figures = bench.results.map((result): Html => {
    const { p50, p90, p99, count } = latencyOf(result, bench);
    const times = calmRounds(result, bench).used.flatMap((round) => round.times);
    const label = `Latency of ${result.case.name}`;
    const marks = [
      { label: `p50 ${ms(p50)}`, value: p50 },
      { label: `p90 ${ms(p90)}`, value: p90 },
      { label: `p99 ${ms(p99)}`, value: p99 },
    ];
    const tone = TONES[result.case.kind];
    return html`<figure><h3>${result.case.name}${several ? html` <span class="muted">${result.case.subject}</span>` : null}</h3>
${histogram(times, { unit: 'ms', label, marks, tone })}
<figcaption>${count} runs; the last bar holds what is slower than the axis.</figcaption></figure>`;
  });
  return { id: 'latency', title: 'Latency', lead: 'Single runs over the calm rounds.', body: html`${figures}` };
}

/** Engine, machine and rules. */
function methodSection({ bench, machine, core, date, notes }: BenchReport): Section {
  const { rounds, milliseconds, threshold, coldStarts } = bench.options;
  const engine = bench.results[0]?.about;
  const peers = bench.results.flatMap(({ case: c, about }) => (about.package ? [`${c.name} ${about.package}`] : []));
  const gigabytes = (machine.memory / 2 ** 30).toFixed(0);
  return {
    id: 'method',
    title: 'How it was measured',
    lead: 'Every case ran in a process of its own, on one thread, batch 1, warmed up until its time stayed. A probe that only multiplies in registers ran before and after each measurement: rounds in which it was slow do not count.',
    body: facts([
      ['date', date],
      [
        'engine',
        engine
          ? `Node ${engine.node.slice(1)}, V8 ${engine.v8}, relaxed SIMD: ${engine.relaxedSimd ? 'yes' : 'no'}`
          : '',
      ],
      ['flags', engine?.flags.length ? html`<code>${engine.flags.join(' ')}</code>` : 'none'],
      [
        'processor',
        `${machine.processor}, ${machine.cores} cores${core === undefined ? '' : `, pinned to core ${core}`}, ${gigabytes} GiB, ${machine.platform}`,
      ],
      ['features', machine.features.join(' ') || 'unknown'],
      ['rounds', `${rounds} interleaved, ${milliseconds} ms per case; cold starts: median of ${coldStarts} processes`],
      [
        'noise',
        `best probe ${bench.peak.toFixed(1)} GMAC/s; a round is calm from ${Math.round(100 * threshold)} % of it`,
      ],
      ...(peers.length > 0 ? [['peers', peers.join(', ')] as const] : []),
      ...bench.results.flatMap(({ case: c, unoptimized }) =>
        unoptimized === undefined ? [] : [[`${c.name} cannot optimize it`, unoptimized] as const],
      ),
      ...bench.failed.map(({ case: c, reason }) => [`left out: ${c.name}`, reason] as const),
      ...notes.map((note) => ['note', note] as const),
    ]),
  };
}

/** Hashes of models and options. */
function buildSection(builds: BenchReport['builds']): Section {
  const rows = builds.map(({ subject, name, hashes }) => [
    html`${name}<br><span class="muted">${subject}</span>`,
    html`<code>${hashes.model}</code>`,
    html`<code>${hashes.options}</code>`,
  ]);
  const columns = [
    { title: 'build' },
    { title: 'model, SHA-256', kind: 'wrap' },
    { title: 'options, SHA-256', kind: 'wrap' },
  ] as const;
  return { id: 'builds', title: 'Builds', lead: 'Equal hashes mean equal modules.', body: table(columns, rows) };
}

/** The figures that decide, of the best INT8 build of the first subject. */
function tiles({ bench }: BenchReport): Tile[] {
  const own = bench.results.filter((r) => r.case.kind === 'int8' || r.case.kind === 'module');
  const best = [...(own.length > 0 ? own : bench.results)].sort(
    (a, b) => latencyOf(a, bench).p50 - latencyOf(b, bench).p50,
  )[0];
  if (!best) return [];
  const { p50, p90 } = latencyOf(best, bench);
  const base = baseOf(best, bench);
  const { size, gzip, instance, name } = best.case;
  return [
    { label: `latency, ${name}`, value: `${ms(p50)} ms`, note: `p90 ${ms(p90)} ms` },
    ...(base === best
      ? []
      : [
          {
            label: `against ${base.case.name}`,
            value: `${speedup(best, base, bench).toFixed(2)}×`,
            note: 'as fast, median of interleaved rounds',
          },
        ]),
    {
      label: 'cold start',
      value: `${ms(best.load + best.firstRun)} ms`,
      note: `load ${ms(best.load)}, first run ${ms(best.firstRun)}`,
    },
    ...(size === undefined
      ? []
      : [
          { label: 'file', value: formatBytes(size), note: gzip === undefined ? '' : `${formatBytes(gzip)} with gzip` },
        ]),
    ...(instance === undefined ? [] : [{ label: 'memory of an instance', value: formatBytes(instance) }]),
  ];
}

/** The page of a benchmark; further sections, such as those of an evaluation, can stand behind its own. */
export function benchPage(report: BenchReport, further: readonly Section[] = []): Page {
  const { bench, timelines, builds } = report;
  const subjects = [...new Set(bench.results.map((r) => r.case.subject))];
  return {
    title: subjects.map((path) => path.split(/[\\/]/).filter(Boolean).at(-1)).join(', '),
    kicker: 'qc bench',
    subtitle: `${report.date}; Node ${bench.results[0]?.about.node.slice(1) ?? ''} on ${report.machine.processor}`,
    tiles: tiles(report),
    sections: [
      resultSection(bench),
      latencySection(bench),
      ...timelines.map(layerSection),
      ...further,
      methodSection(report),
      ...(builds.length > 0 ? [buildSection(builds)] : []),
    ],
    data: { ...report, bench: published(bench) },
  };
}
