import type { PreparedCase } from '../host/bench/prepare.js';
import {
  type BenchResult,
  baseOf,
  type CaseResult,
  calmRounds,
  latencyOf,
  type Machine,
  nameOf,
  speedup,
} from '../tasks/bench.js';
import { alignColumns, colors, formatBytes, resultColors } from './terminal.js';

type Result = CaseResult<PreparedCase>;
type Bench = BenchResult<PreparedCase>;

/** A time in milliseconds with three significant digits or more. */
export const ms = (milliseconds: number): string =>
  milliseconds.toFixed(milliseconds < 10 ? 3 : milliseconds < 100 ? 2 : 1);

const optionalBytes = (bytes: number | undefined): string => (bytes === undefined ? '' : formatBytes(bytes));

function row(result: Result, bench: Bench): string[] {
  const { p50, p90, p99 } = latencyOf(result, bench);
  const { calm } = calmRounds(result, bench);
  const base = baseOf(result, bench);
  const { size, gzip, instance } = result.case;
  return [
    `  ${nameOf(result)}`,
    ms(p50),
    ms(p90),
    ms(p99),
    base === result ? '1.00x' : `${speedup(result, base, bench).toFixed(2)}x`,
    ms(result.load),
    ms(result.firstRun),
    formatBytes(result.memory),
    optionalBytes(instance),
    optionalBytes(size),
    optionalBytes(gzip),
    `${calm}/${result.rounds.length}`,
  ];
}

const HEAD = ['', 'ms', 'p90', 'p99', 'speed', 'load ms', 'first ms', 'process', 'instance', 'file', 'gzip', 'calm'];

/** Where and how was measured, in two lines. */
export function aboutText(bench: Bench, machine: Machine, core: string | undefined): string[] {
  const first = (bench.results[0] as Result).about;
  const engine = `Node ${first.node.slice(1)} (V8 ${first.v8})${first.flags.length > 0 ? ` ${first.flags.join(' ')}` : ''}`;
  const features = machine.features.length > 0 ? `, ${machine.features.join(' ')}` : '';
  const { rounds, milliseconds, threshold } = bench.options;
  return [
    `${engine} on ${machine.processor}, ${machine.cores} core${machine.cores > 1 ? 's' : ''}${features}`,
    `one thread, batch 1${core === undefined ? '' : `, core ${core}`}; ${rounds} interleaved rounds of ${milliseconds / 1000} s each; best probe ${bench.peak.toFixed(1)} GMAC/s, calm from ${Math.round(100 * threshold)} % of it`,
  ];
}

/** The table of all cases, by subject. */
export function benchTable(bench: Bench): string {
  const subjects = [...new Set(bench.results.map((r) => r.case.subject))];
  const rows: string[][] = [HEAD];
  const titles = new Map<number, string>();
  for (const subject of subjects) {
    titles.set(rows.length, subject);
    rows.push(HEAD.map(() => ''));
    for (const result of bench.results) if (result.case.subject === subject) rows.push(row(result, bench));
  }
  const lines = alignColumns(rows, HEAD.map((_, i) => i).slice(1));
  return lines
    .map((line, i) =>
      i === 0 ? resultColors.dim(line) : titles.has(i) ? resultColors.bold(titles.get(i) as string) : line,
    )
    .join('\n');
}

/** What a reader should know of the figures: what they are compared with, disturbed rounds, peers that failed. */
export function remarks(bench: Bench): string[] {
  const bases = new Set(bench.results.map((result) => baseOf(result, bench).case.name));
  const disturbed = bench.results.filter((result) => calmRounds(result, bench).calm === 0);
  return [
    `speed: how many times as fast as ${[...bases].join(' or ')}, the median of the rounds`,
    ...(disturbed.length > 0
      ? [
          `${colors.yellow('noise:')} the machine was busy in all rounds of ${disturbed.map((r) => r.case.name).join(', ')}: take these figures as hints`,
        ]
      : []),
    ...bench.results.flatMap(({ case: c, unoptimized }) =>
      unoptimized === undefined
        ? []
        : [`${colors.yellow('unoptimized:')} ${c.name} cannot optimize it: ${unoptimized}`],
    ),
    ...bench.failed.map(({ case: c, reason }) => `${colors.yellow('left out:')} ${c.name}: ${reason}`),
  ];
}
