/** Runs one job in this process and prints one line of JSON: what `run.ts` starts for every measurement. */
import { readFileSync, writeFileSync } from 'node:fs';
import { peakMemory } from '../../src/host/bench/memory.js';
import { Prober } from '../../src/tasks/probe.js';
import { timeRuns, warmUp } from '../../src/tasks/timing.js';
import { load } from './engines.js';
import { type Job, type Measurement, RESULT_MARK } from './job.js';

/** Long enough (some 60 ms) to notice that the core is shared. */
const PROBE_CALLS = 400;
const MEGABYTE = 1 << 20;

async function measure(job: Job): Promise<Measurement> {
  const prober = new Prober(new WebAssembly.Module(readFileSync(job.probe)));
  const x = new Float32Array(new Uint8Array(readFileSync(job.input)).buffer);
  const before = prober.speed(PROBE_CALLS);
  const start = performance.now();
  const session = await load(job);
  const loaded = performance.now();
  const output = await session.run(x);
  const firstRun = performance.now() - loaded;
  writeFileSync(job.output, new Uint8Array(output.slice().buffer));
  await warmUp(() => session.run(x));
  const [measured, cpu] = [performance.now(), process.cpuUsage()];
  const list = (await timeRuns(() => session.run(x), 1000 * job.seconds)).sort((a, b) => a - b);
  const { user, system } = process.cpuUsage(cpu);
  return {
    median: list[list.length >> 1] as number,
    best: list[0] as number,
    runs: list.length,
    load: loaded - start,
    firstRun,
    cpuShare: (user + system) / 1000 / (performance.now() - measured),
    memory: peakMemory() / MEGABYTE,
    probe: [before, prober.speed(PROBE_CALLS)],
  };
}

const job = JSON.parse(process.argv[2] as string) as Job;
console.log(`${RESULT_MARK}${JSON.stringify(await measure(job))}`);
process.exit(0);
