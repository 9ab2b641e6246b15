/** Runs one job in this process and prints one line of JSON: what `run.ts` starts for every measurement. */
import { readFileSync, writeFileSync } from 'node:fs';
import { load, type Session } from './engines.js';
import { type Job, type Measurement, RESULT_MARK } from './job.js';
import { peakMemory } from './memory.js';
import { probeSpeed } from './probe-speed.js';

/** Length of the blocks in which warming up is judged. */
const BLOCK = 300;
/** Warm is who has not improved by this factor for two blocks. */
const IMPROVED = 0.97;
/** An engine that keeps improving is measured after this many milliseconds all the same. */
const WARM_LIMIT = 10000;

/** Times of single runs until `milliseconds` have passed, at least 3. */
async function times(session: Session, x: Float32Array, milliseconds: number): Promise<number[]> {
  const list: number[] = [];
  for (const end = performance.now() + milliseconds; performance.now() < end || list.length < 3; ) {
    const start = performance.now();
    await session.run(x);
    list.push(performance.now() - start);
  }
  return list;
}

/** Runs until compilation in the background has ended and the best time stays. */
async function warmUp(session: Session, x: Float32Array): Promise<void> {
  const end = performance.now() + WARM_LIMIT;
  for (let best = Infinity, calm = 0; calm < 2 && performance.now() < end; ) {
    const next = Math.min(...(await times(session, x, BLOCK)));
    calm = next > best * IMPROVED ? calm + 1 : 0;
    best = Math.min(best, next);
  }
}

async function measure(job: Job): Promise<Measurement> {
  const probe = new WebAssembly.Module(readFileSync(job.probe));
  const x = new Float32Array(new Uint8Array(readFileSync(job.input)).buffer);
  const before = probeSpeed(probe);
  const start = performance.now();
  const session = await load(job);
  const loaded = performance.now();
  const output = await session.run(x);
  const firstRun = performance.now() - loaded;
  writeFileSync(job.output, new Uint8Array(output.slice().buffer));
  await warmUp(session, x);
  const [measured, cpu] = [performance.now(), process.cpuUsage()];
  const list = (await times(session, x, 1000 * job.seconds)).sort((a, b) => a - b);
  const { user, system } = process.cpuUsage(cpu);
  return {
    median: list[list.length >> 1] as number,
    best: list[0] as number,
    runs: list.length,
    load: loaded - start,
    firstRun,
    cpuShare: (user + system) / 1000 / (performance.now() - measured),
    memory: peakMemory(),
    probe: [before, probeSpeed(probe)],
  };
}

const job = JSON.parse(process.argv[2] as string) as Job;
console.log(`${RESULT_MARK}${JSON.stringify(await measure(job))}`);
process.exit(0);
