import { MOST_THREADS, type ModuleInfo, SECTION_NAME, SHARED_MEMORY, type Target } from '../runtime/abi.js';
import { customSection, dataSection, joined, type Segment, withoutData, withSections } from './binary-format.js';
import type { Expr, I32, Stmt } from './builder/expr.js';
import type { FunctionBuilder } from './builder/function.js';
import { loadBinaryen, ModuleBuilder, type SharedMemory, segmentName } from './builder/module.js';
import { ThreadEmitter } from './emit-threads.js';
import { kernelKey } from './kernel.js';
import type { Arg } from './lowering.js';
import { INIT_FLAG_ADDRESS, type MemoryMap } from './plan/memory.js';
import type { Phase } from './plan/phases.js';
import { type Call, entriesOf, entryExport, isRef, type Plan } from './plan/plan.js';
import { stepsOf } from './plan/steps.js';

const PAGE = 65536;

/** Pages of 64 KiB that the memory map needs. */
export const pagesFor = (memory: MemoryMap): number => Math.ceil(memory.total / PAGE);

/** Pages of `MOST_THREADS` threads, or the most that there can be. */
export const maxPagesFor = ({ total, threads }: MemoryMap): number =>
  Math.min(65536, Math.ceil((total + (MOST_THREADS - 1) * (threads?.perThread ?? 0)) / PAGE));

/** Names of the wasm functions of a plan's kernels: calls with equal keys share one. */
function nameKernels(calls: readonly Call[]): Map<string, { name: string; call: Call }> {
  const functions = new Map<string, { name: string; call: Call }>();
  for (const call of calls) {
    const key = kernelKey(call.kernel, call.params);
    if (!functions.has(key)) functions.set(key, { name: `${functions.size}-${call.kernel.name(call.params)}`, call });
  }
  return functions;
}

/** Name of the export that computes one step of a run in profile builds. */
export const STEP_EXPORT = 'step';

/** What a module is like besides what it computes. */
export interface EmitOptions {
  /** Exports `step(i)`. */
  readonly profile?: boolean;
  readonly fastMath?: boolean;
  /** The phases of each entry, for a module that several threads run. */
  readonly schedule?: readonly (readonly Phase[])[] | undefined;
}

/**
 * Turns a plan into a module: one function per distinct kernel, `init` and `run` that call them with constant
 * addresses, and the weights as a data section of our own, which Binaryen never sees.
 * `emulated` is the relaxed target for engines that lack its instructions: slow, with equal results.
 */
export async function emitCode(
  plan: Plan,
  memory: MemoryMap,
  target: Target | 'emulated',
  { profile = false, fastMath = false, schedule }: EmitOptions = {},
): Promise<Uint8Array> {
  const relaxed = target === 'simd' ? false : target === 'relaxed' || target;
  const shared = memory.threads && sharedMemory(plan, memory);
  const style = { relaxed, fastMath, ...(shared && { shared }) };
  const builder = new ModuleBuilder(await loadBinaryen(), { pages: pagesFor(memory), ...style });
  const calls = schedule?.flat(3) ?? plan.calls;
  const functions = nameKernels([...plan.init, ...calls]);
  for (const { name, call } of functions.values())
    builder.addFunction(name, call.kernel.signature(call.params), (f) => call.kernel.emit(f, call.params));
  const nameOf = (call: Call): string => (functions.get(kernelKey(call.kernel, call.params)) as { name: string }).name;
  const statements = (f: FunctionBuilder, list: readonly Call[]): Stmt[] =>
    list.map((call) => f.call(nameOf(call), argumentsOf(f, call, plan, memory)));
  const flag = (f: FunctionBuilder) => f.loadI32(f.i32(INIT_FLAG_ADDRESS));
  const copies = (f: FunctionBuilder): Stmt[] =>
    shared
      ? segments(plan, memory).map((s, i) => f.atomic.copySegment(segmentName(i), f.i32(s.address), s.bytes.length))
      : [];
  builder.addFunction('init', { params: [] }, (f) => [
    f.when(f.equalsZero(flag(f)), [
      ...copies(f),
      ...statements(f, plan.init),
      f.storeI32(f.i32(INIT_FLAG_ADDRESS), f.i32(1)),
    ]),
  ]);
  builder.exportFunction('init', 'init');
  if (schedule && memory.threads)
    new ThreadEmitter(builder, memory.threads, {
      nameOf,
      argumentsOf: (f, call, thread) => argumentsOf(f, call, plan, memory, thread),
      numberOf: (call, i) => numberOf(call.args[i] as Arg, memory),
    }).add(schedule);
  else
    for (const [i, { start, end }] of entriesOf(plan).entries()) {
      const list = plan.calls.slice(start, end);
      builder.addFunction(entryExport(i), { params: [] }, (f) => [f.call('init', []), ...statements(f, list)]);
      builder.exportFunction(entryExport(i), entryExport(i));
    }
  if (profile) addStep(builder, plan, statements);
  return withoutData(builder.finish(true));
}

/** The memory of a module for several threads. */
const sharedMemory = (plan: Plan, memory: MemoryMap): SharedMemory => ({
  maxPages: maxPagesFor(memory),
  segments: segments(plan, memory).length,
  from: SHARED_MEMORY,
});

/** Adds `step(i)`, which computes one step of a run. */
function addStep(
  builder: ModuleBuilder,
  plan: Plan,
  statements: (f: FunctionBuilder, calls: readonly Call[]) => Stmt[],
): void {
  builder.addFunction(STEP_EXPORT, { params: ['i32'] }, (f) => [
    dispatch(
      f,
      stepsOf(plan.calls).map((calls) => statements(f, calls)),
    ),
  ]);
  builder.exportFunction(STEP_EXPORT, STEP_EXPORT);
}

/** Runs the statements that parameter 0 chooses, counted from `first`. */
function dispatch(f: FunctionBuilder, choices: readonly (readonly Stmt[])[], first = 0): Stmt {
  if (choices.length < 2) return f.seq(choices[0] ?? []);
  const half = choices.length >> 1;
  const below = f.ltU(f.param(0, 'i32'), first + half);
  return f.when(below, [dispatch(f, choices.slice(0, half), first)], [dispatch(f, choices.slice(half), first + half)]);
}

/** An argument as a number: an address, or the scalar. */
const numberOf = (arg: Arg, memory: MemoryMap): number =>
  isRef(arg) ? (memory.addresses[arg.buffer] as number) + arg.offset : arg;

/** The arguments of a call; scratch of tasks is that of the thread. */
function argumentsOf(f: FunctionBuilder, call: Call, plan: Plan, memory: MemoryMap, thread?: I32): Expr[] {
  const types = call.kernel.signature(call.params).params;
  if (types.length !== call.args.length)
    throw new Error(`${call.kernel.name(call.params)} takes ${types.length} arguments, got ${call.args.length}`);
  const distance = memory.threads?.perThread ?? 0;
  return call.args.map((arg, i) => {
    const value = numberOf(arg, memory);
    if (types[i] === 'f32') return f.f32(value);
    const own = thread && isRef(arg) && plan.buffers[arg.buffer]?.ofTask;
    return own ? f.add(f.mul(thread, distance), value) : f.i32(value);
  });
}

/** The data segments of a plan. */
const segments = (plan: Plan, memory: MemoryMap): Segment[] =>
  joined(
    plan.buffers.flatMap((buffer, i) =>
      buffer.content ? [{ address: memory.addresses[i] as number, bytes: buffer.content }] : [],
    ),
  );

/** The complete module: code, data and the custom section that describes it. */
export function assemble(code: Uint8Array, plan: Plan, memory: MemoryMap, info: ModuleInfo): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(info));
  const kind = memory.threads ? 'passive' : 'active';
  return withSections(code, [dataSection(segments(plan, memory), kind), customSection(SECTION_NAME, json)]);
}
