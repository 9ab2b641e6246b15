/** What a measuring process runs: it gets a job, then answers requests one after another. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fnv1a } from '../../runtime/self-test.js';
import type { EngineAbout, Loaded, OutputDigest, Round } from '../../tasks/bench.js';
import { Prober } from '../../tasks/probe.js';
import { timeRuns, warmUp } from '../../tasks/timing.js';
import { type Engine, loadEngine, type Outputs, PEERS } from './engines.js';
import type { Answer, Job, Message, RequestName, Requests } from './job.js';
import { peakMemory } from './memory.js';

/** Values of an output that are sent back to be compared. */
const FEW = 4096;

let job: Job;
let engine: Engine;
let prober: Prober;

const validProbes = (): Uint8Array<ArrayBuffer>[] =>
  job.probes.map((file) => new Uint8Array(readFileSync(file))).filter((bytes) => WebAssembly.validate(bytes));

/** The version of the package of a peer; packages may hide their package.json. */
function packageVersion(name: string): string | undefined {
  const require = createRequire(join(job.packages, 'package.json'));
  try {
    const main = require.resolve(name);
    const folder = main.slice(0, main.lastIndexOf(`${name}/`) + name.length);
    return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version?: string }).version;
  } catch {
    return undefined;
  }
}

function about(): EngineAbout {
  const version = job.engine === 'qc' ? undefined : packageVersion(PEERS[job.engine]);
  return {
    node: process.version,
    v8: process.versions.v8,
    flags: [...process.execArgv, ...(process.env.NODE_OPTIONS ? [`NODE_OPTIONS=${process.env.NODE_OPTIONS}`] : [])],
    relaxedSimd: validProbes().length > 1,
    ...(version === undefined ? {} : { package: version }),
  };
}

function outputOf([name, data]: [string, ArrayBufferView]): OutputDigest {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const floats = data instanceof Float32Array && data.length <= FEW ? { floats: Array.from(data) } : {};
  return { name, fnv1a: fnv1a(bytes), ...floats };
}

async function load(): Promise<Loaded> {
  const start = performance.now();
  engine = await loadEngine(job);
  const loaded = performance.now();
  const outputs: Outputs = await engine.run();
  const firstRun = performance.now() - loaded;
  const { revectorized, unoptimized } = engine;
  return {
    load: loaded - start - (unoptimized?.wasted ?? 0),
    firstRun,
    outputs: Object.entries(outputs).map(outputOf),
    ...(revectorized === undefined ? {} : { revectorized }),
    ...(unoptimized ? { unoptimized: unoptimized.reason } : {}),
  };
}

function machine(): Prober {
  prober ??= new Prober(new WebAssembly.Module(validProbes().at(-1) as Uint8Array<ArrayBuffer>));
  return prober;
}

async function measure({ milliseconds }: { milliseconds: number }): Promise<Round> {
  const before = machine().speed();
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const times = await timeRuns(() => engine.run(), milliseconds);
  const { user, system } = process.cpuUsage(cpu);
  const cpuShare = (user + system) / 1000 / (performance.now() - start);
  return { times, cpuShare, probe: [before, machine().speed()] };
}

const HANDLERS: { [N in RequestName]: (request: Requests[N]['request']) => unknown } = {
  about,
  load,
  warmUp: ({ block }) => warmUp(() => engine.run(), block),
  measure,
  profile(options) {
    if (!engine.profile) throw new Error('the module was not compiled for profiling');
    return engine.profile(options);
  },
  peaks: () => machine().peaks(),
  probe: () => machine().speed(400),
  memory: peakMemory,
};

async function answer(message: Message): Promise<Answer> {
  try {
    if ('job' in message) {
      job = message.job;
      return { result: null };
    }
    return { result: await HANDLERS[message.name](message.request as never) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

process.on('message', (message) => void answer(message as Message).then((reply) => process.send?.(reply)));
process.on('disconnect', () => process.exit(0));
