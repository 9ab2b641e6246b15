/** Modules for several threads: the plan holds in any order of its tasks, and any number of threads gives the same bytes. */
import '../support/relaxed.js';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Ref } from '../../src/codegen/lowering.js';
import { planMemory } from '../../src/codegen/plan/memory.js';
import { type Phase, phasesOf } from '../../src/codegen/plan/phases.js';
import { type Call, isRef, type Plan } from '../../src/codegen/plan/plan.js';
import { Planner } from '../../src/codegen/plan/planner.js';
import { compile, lower } from '../../src/compile.js';
import { OPS } from '../../src/ops/index.js';
import { resolveOptions } from '../../src/options.js';
import type { Target } from '../../src/runtime/abi.js';
import type { Net } from '../../src/runtime/loader.js';
import { selfTestInput } from '../../src/runtime/self-test.js';
import { generate, type StyleName } from '../../tools/zoo/zoo.js';
import { randomInts } from '../support/kernel-memory.js';
import { random } from '../support/network.js';

const TARGETS: readonly Target[] = ['simd', 'relaxed'];
const folder = mkdtempSync(join(tmpdir(), 'qc-threads-'));
test.after(() => rmSync(folder, { recursive: true }));

async function modelOf(name: string, style: StyleName, size: number, width: number): Promise<Uint8Array> {
  for await (const { bytes } of generate(name, { size, width, classes: 10 }, [style])) return bytes;
  throw new Error(`no ${name}`);
}

/** The tasks of a phase on `threads` threads that are never in step: calls of random tasks take turns. */
function* interleaved(phase: Phase, threads: number, next: () => number): Generator<[Call, number]> {
  const waiting = [...phase];
  const held: (Call[] | undefined)[] = Array.from({ length: threads }, () => undefined);
  for (;;) {
    const thread = next() % threads;
    if (!held[thread]?.length && waiting.length > 0) held[thread] = [...waiting.splice(next() % waiting.length, 1)[0]!];
    const call = held[thread]?.shift();
    if (call) yield [call, thread];
    if (waiting.length === 0 && held.every((calls) => !calls?.length)) return;
  }
}

/** How the calls of a run become phases. */
const IN_ORDER = (calls: readonly Call[]): Phase[] => calls.map((call) => [[call]]);
/** Pieces are much smaller than they really are, so that small networks have many. */
const IN_PIECES = (calls: readonly Call[]): Phase[] => phasesOf(calls, 500);

interface Simulation {
  readonly phasesOf: (calls: readonly Call[]) => Phase[];
  readonly threads: number;
  readonly seed: number;
}

/** Runs a plan by the references of its kernels, phase by phase; gives the bytes of its outputs and the tasks of each phase. */
function simulate(
  plan: Plan,
  { phasesOf: cut, threads, seed }: Simulation,
): { outputs: Uint8Array[]; tasks: number[] } {
  const phases = cut(plan.calls);
  const memory = planMemory(plan, phases);
  const { perThread } = memory.threads!;
  const heap = new Uint8Array(memory.total + threads * perThread).fill(0x7f);
  const addressOf = ({ buffer, offset }: Ref, thread: number): number =>
    memory.addresses[buffer]! + offset + (plan.buffers[buffer]!.ofTask ? thread * perThread : 0);
  const run = (call: Call, thread: number): void => {
    const args = call.args.map((arg) => (isRef(arg) ? addressOf(arg, thread) : arg));
    call.kernel.reference(call.params, heap.buffer, args);
  };
  for (const [i, { content }] of plan.buffers.entries()) if (content) heap.set(content, memory.addresses[i]!);
  for (const call of plan.init) run(call, 0);
  for (const { info, buffer } of plan.inputs)
    heap.set(selfTestInput({ ...info, offset: 0 }, 3), memory.addresses[buffer]!);
  const next = randomInts(seed);
  for (const phase of phases) for (const [call, thread] of interleaved(phase, threads, next)) run(call, thread);
  const outputs = plan.outputs.map(({ buffer }) => {
    const start = memory.addresses[buffer]!;
    return heap.slice(start, start + plan.buffers[buffer]!.bytes);
  });
  return { outputs, tasks: phases.map((phase) => phase.length) };
}

for (const [name, style] of [
  ['resnet50', 's8'],
  ['mobilenet_v2', 'u8'],
  ['squeezenet1_1', 'fp32'],
] as const)
  test(`a plan of ${name} holds in any order of the tasks of a phase`, async () => {
    const { graph } = lower(await modelOf(name, style, 32, 0.25), resolveOptions({}));
    for (const target of TARGETS) {
      const plan = new Planner(graph, OPS, target).plan();
      const { outputs } = simulate(plan, { phasesOf: IN_ORDER, threads: 1, seed: 1 });
      assert.ok(new Set(outputs[0]).size > 3, 'the outputs hardly differ from each other');
      for (const seed of [2, 3]) {
        const parallel = simulate(plan, { phasesOf: IN_PIECES, threads: 3, seed });
        const { length } = parallel.tasks.filter((n) => n > 1);
        assert.ok(length > 15, `hardly a phase has several tasks: ${parallel.tasks}`);
        assert.equal(parallel.outputs, outputs, target);
      }
    }
  });

interface Threaded extends Omit<Net, 'run'> {
  readonly threads: number;
  run(inputs: Parameters<Net['run']>[0]): Promise<ReturnType<Net['run']>>;
}
type Load = (options?: object) => Promise<Threaded>;

async function loaderOf(model: Uint8Array, options: object): Promise<{ load: Load; plain: Net }> {
  const name = `m${folderCount++}`;
  const { files } = await compile(model, { name, threads: true, ...options });
  const { files: plainFiles } = await compile(model, { name: `${name}-plain`, ...options });
  for (const file of [...files, ...plainFiles]) writeFileSync(join(folder, file.name), file.data);
  const loadOf = async (file: string) =>
    ((await import(pathToFileURL(join(folder, file)).href)) as { load: Load }).load;
  return { load: await loadOf(`${name}.mjs`), plain: (await (await loadOf(`${name}-plain.mjs`))()) as unknown as Net };
}
let folderCount = 0;

const feedsFor = ({ inputs }: Pick<Net, 'inputs'>, seed: number): Record<string, Float32Array> => {
  const next = random(seed);
  return Object.fromEntries(
    inputs.map(({ name, shape }) => [name, Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, next)]),
  );
};

for (const [name, style] of [
  ['resnet50', 's8'],
  ['mobilenet_v2', 'u8'],
  ['squeezenet1_1', 'fp32'],
] as const)
  test(`1, 2 and 3 threads give the bytes of ${name} without threads`, async () => {
    const model = await modelOf(name, style, 64, 0.5);
    for (const target of TARGETS) {
      const { load, plain } = await loaderOf(model, { target });
      const expected = [1, 2, 3, 4].map((seed) => plain.run(feedsFor(plain, seed)));
      for (const threads of [1, 2, 3]) {
        const net = await load({ threads });
        assert.is(net.threads, threads);
        for (let round = 0; round < 2; round++) {
          const results = await Promise.all([1, 2, 3, 4].map((seed) => net.run(feedsFor(net, seed))));
          assert.equal(results, expected, `${target}, ${threads} threads`);
        }
        net.free();
      }
    }
  });

test.run();
