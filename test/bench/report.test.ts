/** The benchmark's arithmetic: disturbed rounds do not count, ratios are taken within rounds. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Case } from '../../tools/bench/cases.js';
import { parseCase } from '../../tools/bench/cases.js';
import { compare } from '../../tools/bench/compare.js';
import type { EngineName, Measurement } from '../../tools/bench/job.js';
import { type CaseResult, summarize, table } from '../../tools/bench/report.js';

const ABOUT = { date: '', node: 'v0', target: 'simd', processor: '', rounds: 3, threshold: 0.9 };

const measurement = (median: number, mean = 59, cpuShare = 1): Measurement => ({
  median,
  best: median,
  runs: 10,
  load: 1,
  firstRun: 2,
  memory: 100,
  cpuShare,
  probe: [
    { mean: 59, best: 60 },
    { mean, best: 60 },
  ],
});

function result(engine: EngineName, style: string, measurements: readonly Measurement[]): CaseResult {
  const references = { unoptimized: new Float32Array(1) };
  const files = { file: '', shape: [1], input: '', output: '', references };
  const c: Case = { engine, style, network: 'net', macs: 6e8, ...files };
  return { case: c, measurements, agreement: compare(Float32Array.of(1, 2), Float32Array.of(1, 2)) };
}

test('disturbed measurements are left out of medians and ratios', () => {
  const own = result('qc', 'u8', [measurement(10), measurement(10), measurement(50, 20)]);
  const peer = result('ort-web', 'fp32', [measurement(30), measurement(90, 59, 0.4), measurement(40)]);
  const { rows, peak } = summarize([own, peer], ABOUT);
  assert.is(peak, 60);
  assert.equal(
    rows.map((row) => [row.name, row.median, row.rounds]),
    [
      ['qc:u8', 10, 2],
      ['ort-web:fp32', 40, 2],
    ],
  );
  assert.is(rows[1]?.ratios['qc:u8'], 3, 'only the first round was calm for both');
  assert.is(rows[0]?.peakShare, 1);
});

test('where every round was disturbed, all count and the table says so', () => {
  const summary = summarize(
    [result('qc', 's8', [measurement(10, 20), measurement(20, 20), measurement(30, 20)])],
    ABOUT,
  );
  assert.is(summary.rows[0]?.median, 20);
  assert.is(summary.rows[0]?.rounds, 0);
  assert.match(table(summary), /\| net qc:s8 \| 20.00 \| 10.00..30.00 \| none \|/);
});

test('outputs are compared by difference, share and noise', () => {
  const { identical, equal, relativeError, signalToNoise } = compare(
    Float32Array.of(3, 4, 1),
    Float32Array.of(3, 4, 0),
  );
  assert.equal([identical, equal, relativeError], [false, 2 / 3, 0.25]);
  assert.ok(Math.abs(signalToNoise - 13.979) < 1e-3);
  assert.is(compare(Float32Array.of(Number.NaN), Float32Array.of(1)).relativeError, Infinity);
  assert.throws(() => compare(new Float32Array(2), new Float32Array(3)));
});

test('cases are named ENGINE:STYLE', () => {
  assert.equal(parseCase('ort-web:fp32'), { engine: 'ort-web', style: 'fp32' });
  for (const bad of ['qc', 'tf:u8', 'qc:u8:x', '']) assert.throws(() => parseCase(bad));
});

test.run();
