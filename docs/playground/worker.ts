/** The compiler in a worker of the page: compiles a model in int8 and in float, and times both. */
import { type CompileResult, compile } from '../../src/compile.js';
import { explorerPage } from '../../src/report/explorer.js';
import { prepareLayouts } from '../../src/report/layout.js';
import { createLoader, type Net } from '../../src/runtime/loader.js';
import { selfTestInput } from '../../src/runtime/self-test.js';
import { QcError } from '../../src/support/errors.js';
import type { Answer, Job, Timed } from './messages.js';

const answer = (message: Answer): void => postMessage(message);
const progress = (text: string): void => answer({ kind: 'progress', text });

/** Relaxed SIMD where this engine has it: the probe is the module itself. */
async function build(job: Job, precision: 'int8' | 'fp32'): Promise<{ result: CompileResult; milliseconds: number }> {
  const start = performance.now();
  const options = {
    name: job.name.replace(/\.\w+$/, ''),
    file: job.name,
    precision,
    debug: precision === 'int8',
    onPass: (event: { name: string }) => progress(`${precision}: ${event.name}`),
  };
  const relaxed = await compile(job.bytes, { ...options, target: 'relaxed' });
  const result = WebAssembly.validate(relaxed.wasm as BufferSource)
    ? relaxed
    : await compile(job.bytes, { ...options, target: 'simd' });
  return { result, milliseconds: performance.now() - start };
}

/** A net whose inputs hold generated data. */
async function open({ wasm, report }: CompileResult): Promise<{ net: Net; run: () => void }> {
  const net = await createLoader(report.name, () => wasm as Uint8Array<ArrayBuffer>).load();
  const [entry] = report.entries;
  const data = entry.inputs.map((input) => selfTestInput(input, 1));
  const run = (): void => {
    for (const [i, { name }] of entry.inputs.entries()) {
      const { buffer, byteOffset, byteLength } = net.input(name);
      new Uint8Array(buffer, byteOffset, byteLength).set(data[i] as Uint8Array);
    }
    net.runInPlace();
  };
  return { net, run };
}

/** Clocks of browsers are coarse: so long a stretch of runs, in milliseconds, is timed at once. */
const STRETCH = 20;

/** Milliseconds of a run of each, in turns: the best of several stretches, after the engine has optimized the code. */
function timeInTurns(runs: readonly (() => void)[]): number[] {
  const stretch = (run: () => void): number => {
    const start = performance.now();
    let [count, now] = [0, start];
    while (now - start < STRETCH) {
      run();
      count++;
      now = performance.now();
    }
    return (now - start) / count;
  };
  const best = runs.map(() => Infinity);
  for (let round = 0; round < 20; round++)
    for (const [i, run] of runs.entries()) {
      const time = stretch(run);
      if (round >= 5) best[i] = Math.min(best[i] as number, time);
    }
  return best;
}

async function work(job: Job): Promise<void> {
  const int8 = await build(job, 'int8');
  const fp32 = await build(job, 'fp32');
  progress('timing');
  const both = [fp32, int8];
  const opened = await Promise.all(both.map(({ result }) => open(result)));
  const running = timeInTurns(opened.map(({ run }) => run));
  const times = both.map(({ result, milliseconds }, i): Timed => {
    const { target, memory } = result.report;
    const sizes = { moduleBytes: result.wasm.length, memoryBytes: memory.bytes };
    return { build: i ? 'INT8' : 'FP32', target, ...sizes, compiling: milliseconds, running: running[i] as number };
  });
  progress('drawing the graphs');
  const explorer = explorerPage(int8.result.stages, await prepareLayouts());
  const { ops } = int8.result.report;
  const inInt8 = ops.filter((op) => op.int8).length;
  answer({ kind: 'done', times, ops: `${inInt8} of ${ops.length} ops in int8`, files: int8.result.files, explorer });
}

addEventListener('message', ({ data }: MessageEvent<Job>): void => {
  work(data).catch((error: unknown) => {
    const text = error instanceof QcError ? error.format() : String((error as Error)?.stack ?? error);
    answer({ kind: 'error', text });
  });
});
