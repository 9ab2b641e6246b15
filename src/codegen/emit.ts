import type { ModuleInfo, Target } from '../runtime/abi.js';
import { SECTION_NAME } from '../runtime/abi.js';
import { customSection, dataSection, type Segment, withSections } from './binary-format.js';
import type { Expr, Stmt } from './builder/expr.js';
import type { FunctionBuilder } from './builder/function.js';
import { loadBinaryen, ModuleBuilder } from './builder/module.js';
import { kernelKey } from './kernel.js';
import { INIT_FLAG_ADDRESS, type MemoryMap } from './plan/memory.js';
import { type Call, entriesOf, entryExport, isRef, type Plan } from './plan/plan.js';
import { stepsOf } from './plan/steps.js';

const PAGE = 65536;

/** Pages of 64 KiB that the memory map needs. */
export const pagesFor = (memory: MemoryMap): number => Math.ceil(memory.total / PAGE);

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

/**
 * Turns a plan into a module: one function per distinct kernel, `init` and `run` that call them with constant
 * addresses, and the weights as a data section of our own, which Binaryen never sees. `profile` exports `step(i)` besides.
 * `emulated` is the relaxed target for engines that lack its instructions: slow, with equal results.
 */
export async function emitCode(
  plan: Plan,
  memory: MemoryMap,
  target: Target | 'emulated',
  { profile = false, fastMath = false }: { readonly profile?: boolean; readonly fastMath?: boolean } = {},
): Promise<Uint8Array> {
  const relaxed = target === 'simd' ? false : target === 'relaxed' || target;
  const builder = new ModuleBuilder(await loadBinaryen(), { pages: pagesFor(memory), relaxed, fastMath });
  const functions = nameKernels([...plan.init, ...plan.calls]);
  for (const { name, call } of functions.values())
    builder.addFunction(name, call.kernel.signature(call.params), (f) => call.kernel.emit(f, call.params));
  const statements = (f: FunctionBuilder, calls: readonly Call[]): Stmt[] =>
    calls.map((call) => {
      const { name } = functions.get(kernelKey(call.kernel, call.params)) as { name: string };
      return f.call(name, argumentsOf(f, call, memory));
    });
  const flag = (f: FunctionBuilder) => f.loadI32(f.i32(INIT_FLAG_ADDRESS));
  builder.addFunction('init', { params: [] }, (f) => [
    f.when(f.equalsZero(flag(f)), [...statements(f, plan.init), f.storeI32(f.i32(INIT_FLAG_ADDRESS), f.i32(1))]),
  ]);
  builder.exportFunction('init', 'init');
  for (const [i, { start, end }] of entriesOf(plan).entries()) {
    const calls = plan.calls.slice(start, end);
    builder.addFunction(entryExport(i), { params: [] }, (f) => [f.call('init', []), ...statements(f, calls)]);
    builder.exportFunction(entryExport(i), entryExport(i));
  }
  if (profile) {
    builder.addFunction(STEP_EXPORT, { params: ['i32'] }, (f) => [
      dispatch(
        f,
        stepsOf(plan.calls).map((calls) => statements(f, calls)),
      ),
    ]);
    builder.exportFunction(STEP_EXPORT, STEP_EXPORT);
  }
  return builder.finish(true);
}

/** Runs the statements that parameter 0 chooses, counted from `first`. */
function dispatch(f: FunctionBuilder, choices: readonly (readonly Stmt[])[], first = 0): Stmt {
  if (choices.length < 2) return f.seq(choices[0] ?? []);
  const half = choices.length >> 1;
  const below = f.ltU(f.param(0, 'i32'), first + half);
  return f.when(below, [dispatch(f, choices.slice(0, half), first)], [dispatch(f, choices.slice(half), first + half)]);
}

function argumentsOf(f: FunctionBuilder, call: Call, memory: MemoryMap): Expr[] {
  const types = call.kernel.signature(call.params).params;
  if (types.length !== call.args.length)
    throw new Error(`${call.kernel.name(call.params)} takes ${types.length} arguments, got ${call.args.length}`);
  return call.args.map((arg, i) => {
    const value = isRef(arg) ? (memory.addresses[arg.buffer] as number) + arg.offset : arg;
    return types[i] === 'f32' ? f.f32(value) : f.i32(value);
  });
}

/** The data segments of a plan. */
function segments(plan: Plan, memory: MemoryMap): Segment[] {
  return plan.buffers.flatMap((buffer, i) =>
    buffer.content ? [{ address: memory.addresses[i] as number, bytes: buffer.content }] : [],
  );
}

/** The complete module: code, data and the custom section that describes it. */
export function assemble(code: Uint8Array, plan: Plan, memory: MemoryMap, info: ModuleInfo): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(info));
  return withSections(code, [dataSection(segments(plan, memory)), customSection(SECTION_NAME, json)]);
}
