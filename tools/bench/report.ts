/** Medians, ratios and the printed table. */

import { bestProbe, isCalm } from '../../src/tasks/bench.js';
import type { Case } from './cases.js';

import type { Agreement } from './compare.js';
import type { Measurement } from './job.js';

export { bestProbe, calmness, isCalm } from '../../src/tasks/bench.js';

/** All measurements of one case. */
export interface CaseResult {
  readonly case: Case;
  readonly measurements: readonly Measurement[];
  readonly agreement: Agreement;
}

/** How and on what was measured. */
export interface About {
  readonly date: string;
  readonly node: string;
  readonly target: string;
  readonly processor: string;
  readonly rounds: number;
  /** A measurement counts where probe and CPU share reach this share of the best. */
  readonly threshold: number;
}

/** One line of the table. Times in milliseconds, memory in MB. */
export interface Row {
  readonly network: string;
  readonly name: string;
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
  /** Rounds that were not disturbed; 0: none, and all are used. */
  readonly rounds: number;
  /** This case's time by the time of each qc case, the median over rounds in which both were undisturbed. */
  readonly ratios: Readonly<Record<string, number>>;
  /** Multiplications per second by those of the probe at its best. */
  readonly peakShare: number;
  readonly load: number;
  readonly firstRun: number;
  readonly memory: number;
  readonly agreement: Agreement;
  /** qc: the compiler's time in seconds and memory in MB, bytes of the module and of an instance. */
  readonly compiler?: {
    readonly seconds: number;
    readonly memory: number;
    readonly moduleBytes: number;
    readonly instanceBytes: number;
  };
  readonly measurements: readonly Measurement[];
}

export interface Summary {
  readonly about: About;
  /** The best probe of the whole run in 10^9 multiplications per second. */
  readonly peak: number;
  readonly rows: readonly Row[];
}

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1] as number;

/** `ENGINE:STYLE` of a case. */
export const nameOf = ({ engine, style }: Case): string => `${engine}:${style}`;

/** Which rounds of a case were calm; all of them if none was. */
function calmRounds(
  { measurements }: CaseResult,
  peak: number,
  threshold: number,
): { calm: Set<number>; any: boolean } {
  const rounds = measurements.map((_, i) => i);
  const calm = rounds.filter((i) => isCalm(measurements[i] as Measurement, peak, threshold));
  return { calm: new Set(calm.length > 0 ? calm : rounds), any: calm.length > 0 };
}

function ratio(a: CaseResult, b: CaseResult, rounds: (r: CaseResult) => Set<number>): number {
  const both = [...rounds(a)].filter((i) => rounds(b).has(i));
  const time = (r: CaseResult, i: number): number => (r.measurements[i] as Measurement).median;
  if (both.length > 0) return median(both.map((i) => time(a, i) / time(b, i)));
  const middle = (r: CaseResult): number => median([...rounds(r)].map((i) => time(r, i)));
  return middle(a) / middle(b);
}

/** Medians and ratios of all cases. */
export function summarize(results: readonly CaseResult[], about: About): Summary {
  const peak = bestProbe(results.flatMap((r) => r.measurements));
  const calm = new Map(results.map((r) => [r, calmRounds(r, peak, about.threshold)]));
  const roundsOf = (r: CaseResult): Set<number> => (calm.get(r) as { calm: Set<number> }).calm;
  const rows = results.map((result): Row => {
    const { case: c, measurements, agreement } = result;
    const chosen = measurements.filter((_, i) => roundsOf(result).has(i));
    const times = chosen.map((m) => m.median);
    const own = results.filter((r) => r.case.network === c.network && r.case.engine === 'qc');
    const middle = (of: (m: Measurement) => number): number => median(chosen.map(of));
    return {
      network: c.network,
      name: nameOf(c),
      median: median(times),
      lowest: Math.min(...times),
      highest: Math.max(...times),
      rounds: calm.get(result)?.any ? chosen.length : 0,
      ratios: Object.fromEntries(own.map((r) => [nameOf(r.case), ratio(result, r, roundsOf)])),
      peakShare: c.macs / median(times) / 1e6 / peak,
      load: middle((m) => m.load),
      firstRun: middle((m) => m.firstRun),
      memory: middle((m) => m.memory),
      agreement,
      ...(c.compiled ? { compiler: compilerFigures(c.compiled) } : {}),
      measurements,
    };
  });
  return { about, peak, rows };
}

const compilerFigures = ({ seconds, memory, moduleBytes, info }: NonNullable<Case['compiled']>): Row['compiler'] => ({
  seconds,
  memory,
  moduleBytes,
  instanceBytes: info.memory.bytes,
});

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

/** The cells of a row: name, time, spread, rounds, share of the peak, ratios, start, memory, agreement, compiler. */
function cells(row: Row, bases: readonly string[]): string[] {
  const { compiler, agreement } = row;
  const noise = agreement.identical ? 'identical' : `${agreement.signalToNoise.toFixed(0)} dB`;
  return [
    `${row.network} ${row.name}`,
    row.median.toFixed(2),
    `${row.lowest.toFixed(2)}..${row.highest.toFixed(2)}`,
    row.rounds === 0 ? 'none' : String(row.rounds),
    `${(100 * row.peakShare).toFixed(0)} %`,
    ...bases.map((name) => (row.ratios[name] === undefined ? '' : `${row.ratios[name].toFixed(2)}x`)),
    row.load.toFixed(0),
    row.firstRun.toFixed(0),
    row.memory.toFixed(0),
    noise,
    ...(compiler
      ? [
          compiler.seconds.toFixed(1),
          compiler.memory.toFixed(0),
          megabytes(compiler.moduleBytes),
          megabytes(compiler.instanceBytes),
        ]
      : ['', '', '', '']),
  ];
}

/** The summary as a table in Markdown. */
export function table({ about, peak, rows }: Summary): string {
  const bases = [...new Set(rows.flatMap((row) => Object.keys(row.ratios)))];
  const head = [
    ...['case', 'ms', 'range', 'calm rounds', 'of peak'],
    ...bases.map((name) => `by ${name}`),
    ...['load ms', 'first run ms', 'MB', 'exact onnxruntime', 'compile s', 'compiler MB', 'module MB', 'instance MB'],
  ];
  const lines = [head, head.map(() => '---'), ...rows.map((row) => cells(row, bases))];
  const { date, node, target, processor, rounds, threshold } = about;
  const title = `${date}, Node ${node}, qc --target ${target}, ${processor}, one thread, batch 1, ${rounds} interleaved rounds, best probe ${peak.toFixed(1)} GMAC/s, calm from ${threshold}`;
  return `${title}\n\n${lines.map((line) => `| ${line.join(' | ')} |`).join('\n')}`;
}
