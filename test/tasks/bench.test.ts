/** The arithmetic of benchmarks: turns, disturbed rounds, ratios within rounds, peers that fail. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type BenchCase,
  type BenchSession,
  baseOf,
  calmRounds,
  latencyOf,
  nameOf,
  type Round,
  runBench,
  speedup,
} from '../../src/tasks/bench.js';
import { enforceLimits, parseSize } from '../../src/tasks/limits.js';
import { quantile, summarize } from '../../src/tasks/statistics.js';
import { timeRuns, warmUp } from '../../src/tasks/timing.js';

const OPTIONS = { rounds: 3, milliseconds: 10, coldStarts: 3, threshold: 0.9, retries: 0 };

const round = (time: number, mean = 59, cpuShare = 1): Round => ({
  times: [time, time, time],
  cpuShare,
  probe: [
    { mean: 59, best: 60 },
    { mean, best: 60 },
  ],
});

/** Sessions that give prepared rounds; `log` has what was asked, in order. */
function sessions(rounds: Readonly<Record<string, readonly Round[]>>, log: string[] = [], broken = '') {
  let open = 0;
  const next = new Map<string, number>();
  return {
    count: () => open,
    async open({ name }: BenchCase): Promise<BenchSession> {
      open++;
      let loads = 0;
      return {
        about: async () => ({ node: 'v1', v8: '1', flags: [], relaxedSimd: true }),
        async load() {
          log.push(`${name} load`);
          if (name === broken) throw new Error('cannot read the model');
          const unoptimized = name === 'plain' ? { unoptimized: 'it throws' } : {};
          return { load: 10 * ++loads + open, firstRun: 5, outputs: [], ...unoptimized };
        },
        async warmUp() {
          log.push(`${name} warm`);
          return { runs: 1, milliseconds: 1 };
        },
        async measure() {
          const i = next.get(name) ?? 0;
          next.set(name, i + 1);
          log.push(`${name} ${i}`);
          return rounds[name]?.[i] as Round;
        },
        profile: () => Promise.reject(new Error('not asked for')),
        peaks: () => Promise.reject(new Error('not asked for')),
        probe: () => Promise.reject(new Error('not asked for')),
        memory: async () => 1e6,
        close: () => void open--,
      };
    },
  };
}

const CASES: BenchCase[] = [
  { subject: 'net', name: 'int8', kind: 'int8' },
  { subject: 'net', name: 'fp32', kind: 'fp32' },
];

test('cases take turns in warm processes of their own, after cold starts in fresh ones', async () => {
  const log: string[] = [];
  const fake = sessions({ int8: [round(1), round(1), round(1)], fp32: [round(2), round(2), round(2)] }, log);
  const bench = await runBench(CASES, fake.open, OPTIONS);
  assert.equal(log, [
    ...['int8 load', 'int8 load', 'int8 load', 'int8 warm', 'fp32 load', 'fp32 load', 'fp32 load', 'fp32 warm'],
    ...['int8 0', 'fp32 0', 'int8 1', 'fp32 1', 'int8 2', 'fp32 2'],
  ]);
  assert.is(fake.count(), 0, 'every process is ended');
  assert.is(bench.peak, 60);
  assert.is(bench.results[0]?.memory, 1e6);
});

test('disturbed rounds do not count, in figures and in ratios', async () => {
  const fake = sessions({
    int8: [round(10), round(10), round(50, 20)],
    fp32: [round(30), round(90, 59, 0.4), round(40)],
  });
  const bench = await runBench(CASES, fake.open, OPTIONS);
  const [int8, fp32] = bench.results;
  assert.is(calmRounds(int8!, bench).calm, 2);
  assert.is(latencyOf(int8!, bench).p50, 10);
  assert.is(latencyOf(fp32!, bench).p90, 40);
  assert.is(baseOf(int8!, bench), fp32);
  assert.is(speedup(int8!, fp32!, bench), 3, 'only the first round was calm for both');
});

test('where no round was calm all count, and are told', async () => {
  const fake = sessions({ int8: [10, 20, 30].map((t) => round(t, 20)), fp32: [20, 60, 30].map((t) => round(t, 20)) });
  const bench = await runBench(CASES, fake.open, OPTIONS);
  const [int8, fp32] = bench.results;
  assert.is(calmRounds(int8!, bench).calm, 0);
  assert.is(latencyOf(int8!, bench).p50, 20);
  assert.is(speedup(int8!, fp32!, bench), 2);
});

test('a disturbed measurement is repeated, and the calmest counts', async () => {
  const fake = sessions({ int8: [round(7, 20), round(5), round(5), round(5)] });
  const bench = await runBench([CASES[0]!], fake.open, { ...OPTIONS, retries: 1 });
  assert.equal(
    bench.results[0]?.rounds.map(({ times }) => times[0]),
    [5, 5, 5],
  );
});

test('a peer that runs without its optimizations says so in its name', async () => {
  const plain: BenchCase = { subject: 'net', name: 'plain', kind: 'peer' };
  const fake = sessions({ int8: [round(1), round(1), round(1)], plain: [round(3), round(3), round(3)] });
  const { results } = await runBench([CASES[0]!, plain], fake.open, OPTIONS);
  assert.equal(results.map(nameOf), ['int8', 'plain (unoptimized)']);
  assert.is(results[1]?.unoptimized, 'it throws');
});

test('a peer that fails is left out, a build that fails is an error, and no process stays', async () => {
  const peer: BenchCase = { subject: 'net', name: 'peer', kind: 'peer' };
  const rounds = { int8: [round(1), round(1), round(1)] };
  const fake = sessions(rounds, [], 'peer');
  const bench = await runBench([CASES[0]!, peer], fake.open, OPTIONS);
  assert.equal(bench.failed, [{ case: peer, reason: 'cannot read the model' }]);
  assert.is(bench.results.length, 1);
  const failing = sessions(rounds, [], 'fp32');
  let message = '';
  await runBench(CASES, failing.open, OPTIONS).catch((error: Error) => {
    message = error.message;
  });
  assert.is(message, 'cannot read the model');
  assert.is(fake.count() + failing.count(), 0);
});

test('quantiles lie between neighbours', () => {
  assert.is(quantile([3, 1, 2], 0.5), 2);
  assert.is(quantile([4, 1], 0.5), 2.5);
  assert.is(quantile([5], 0.99), 5);
  assert.ok(Number.isNaN(quantile([], 0.5)));
  const { p10, p90, p99, ...rest } = summarize([1, 2, 3, 4]);
  assert.equal(rest, { count: 4, mean: 2.5, least: 1, p50: 2.5 });
  assert.equal(
    [p10, p90, p99].map((v) => v.toFixed(6)),
    ['1.300000', '3.700000', '3.970000'],
  );
});

test('runs are timed one by one, and warming up ends when the time stays', async () => {
  let time = 0;
  const costs = [50, 40, 30, 20, 10];
  let runs = 0;
  const now = (): number => time;
  const run = (): void => {
    time += costs[Math.min(runs++ >> 4, costs.length - 1)] as number;
  };
  const { milliseconds } = await warmUp(run, 300, now);
  assert.ok(runs > 16 * (costs.length - 1) && milliseconds < 10000, `${runs} runs, ${milliseconds} ms`);
  assert.equal(await timeRuns(run, 35, 3, now), [10, 10, 10, 10]);
  assert.equal(await timeRuns(async () => run(), 1, 3, now), [10, 10, 10]);
});

test('sizes are read with their units', () => {
  for (const [text, bytes] of [
    ['5MB', 5e6],
    ['300 kB', 3e5],
    ['2.5MiB', 2621440],
    ['4096', 4096],
    ['1b', 1],
    ['1gb', 1e9],
  ] as const)
    assert.is(parseSize('--max-size', text), bytes);
  for (const text of ['', '5 elephants', '-1MB', 'MB', '1e6', '5MBx'])
    assert.throws(() => parseSize('--max-size', text), /--max-size takes a size such as 5MB/);
});

test('all broken limits are named at once', () => {
  const limit = (flag: string, ok: boolean) => ({ flag, text: `${flag} text`, ok });
  enforceLimits([limit('--a', true)]);
  assert.throws(
    () => enforceLimits([limit('--a', false), limit('--b', true), limit('--c', false)]),
    (error: { kind: string; message: string }) => error.kind === 'check' && /--a: .*\n--c: /.test(error.message),
  );
});

test.run();
