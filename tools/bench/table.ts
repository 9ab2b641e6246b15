/**
 * The table of the README: qc against onnxruntime, ratios of medians in interleaved rounds.
 *
 *     npm run bench:table -- --node20 PATH --node24 PATH [--networks LIST] [--rounds N] [--seconds S] [--core N] [--no-build]
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { Target } from '../../src/runtime/abi.js';
import { type Case, parseCase, prepare } from './cases.js';
import { type CaseResult, type Row, summarize } from './report.js';
import { cleanUp, type Effort, measureCases, prepareSetup, say, versionOf } from './rounds.js';

const { values } = parseArgs({
  options: {
    networks: { type: 'string', default: 'mobilenet_v1,mobilenet_v2,resnet50' },
    node20: { type: 'string', default: process.execPath },
    node24: { type: 'string', default: process.execPath },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
    core: { type: 'string', default: String(cpus().length - 1) },
    threshold: { type: 'string', default: '0.9' },
    retries: { type: 'string', default: '2' },
    'no-build': { type: 'boolean', default: false },
  },
});

/** A row: qc on a style of file and how, against a peer. */
interface RowSpec {
  readonly title: string;
  readonly peer: string;
  readonly cases: readonly [own: string, peer: string];
  readonly node: 'node20' | 'node24';
  readonly target: Target;
  readonly revectorize?: boolean;
}

const ROWS: readonly RowSpec[] = [
  {
    title: 'int8, relaxed',
    peer: 'onnxruntime-node, the same symmetric int8 model',
    cases: ['qc:s8', 'ort-node:s8'],
    node: 'node24',
    target: 'relaxed',
  },
  {
    title: 'int8, relaxed',
    peer: 'onnxruntime-web, the same uint8 model',
    cases: ['qc:u8', 'ort-web:u8'],
    node: 'node24',
    target: 'relaxed',
  },
  {
    title: 'int8, simd',
    peer: 'onnxruntime-web, float32',
    cases: ['qc:u8', 'ort-web:fp32'],
    node: 'node20',
    target: 'simd',
  },
  {
    title: 'int8, relaxed, `revectorize`',
    peer: 'onnxruntime-node, uint8 model, native AVX2, saturating',
    cases: ['qc:s8', 'ort-node:u8'],
    node: 'node24',
    target: 'relaxed',
    revectorize: true,
  },
  {
    title: 'float32, simd',
    peer: 'onnxruntime-web, float32',
    cases: ['qc:fp32', 'ort-web:fp32'],
    node: 'node24',
    target: 'simd',
  },
];

const networks = values.networks.split(',');
const effort: Effort = {
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
  threshold: Number(values.threshold),
  retries: Number(values.retries),
};

/** How many times as fast as its peer a row is on one network, and both times. */
async function measureRow(row: RowSpec, network: string, build: boolean) {
  const node = values[row.node];
  const scale = { size: 224, width: 1, classes: 1000 };
  const setup = await prepareSetup({ node, core: values.core, target: row.target, scale }, build);
  try {
    const cases = await prepare(network, row.cases.map(parseCase), setup);
    const turns = cases.map((c): Case => (c.engine === 'qc' ? { ...c, revectorize: row.revectorize ?? false } : c));
    const results: CaseResult[] = measureCases(turns, setup, effort);
    const about = {
      date: '',
      node,
      target: row.target,
      processor: '',
      rounds: effort.rounds,
      threshold: effort.threshold,
    };
    const { rows } = summarize(results, about);
    const [own, peer] = [rows[0] as Row, rows[1] as Row];
    const ratio = peer.ratios[own.name] as number;
    return { own, peer, ratio, calm: Math.min(own.rounds, peer.rounds) };
  } finally {
    cleanUp(setup);
  }
}

const lines: string[] = [];
let build = !values['no-build'];
for (const row of ROWS) {
  const cells: string[] = [];
  for (const network of networks) {
    say(`${row.title} against ${row.peer}: ${network}`);
    const { own, peer, ratio, calm } = await measureRow(row, network, build);
    build = false;
    const times = `${own.median.toFixed(1)} / ${peer.median.toFixed(1)} ms`;
    cells.push(`**${ratio.toFixed(2)}x** (${times}${calm === 0 ? ', disturbed' : ''})`);
  }
  lines.push(`| ${row.title}, ${versionOf(values[row.node])} | ${row.peer} | ${cells.join(' | ')} |`);
}
const date = new Date().toISOString().slice(0, 10);
console.log(`| qc | against | ${networks.join(' | ')} |\n|---|---|${networks.map(() => '---|').join('')}`);
console.log(lines.join('\n'));
console.log(
  `\n${cpus()[0]?.model.trim()}, one thread, batch 1, medians of ${effort.rounds} interleaved rounds, ${date}.`,
);
