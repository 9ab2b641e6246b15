import type { EntryInfo, ModuleInfo } from '../abi.js';
import type { LoadOptions, Source } from '../net.js';
import type { LoaderPart } from '../part.js';
import { fnv1a, selfTestInput } from '../self-test.js';
import { sharedImports } from '../shared-memory.js';
import { openSource, readInfo } from '../source.js';
import { isBytes, isModule } from '../values.js';

/** The custom section that marks the module: V8 shares the code of equal modules, so that this one must differ. */
const MARK = 'qc.revectorized';

/** The first major version of Node whose V8 has the pass and keeps its results exact. */
const FIRST_NODE = 24;

interface V8 {
  setFlagsFromString(flag: string): void;
}

/** The module node:v8 where its flags are known, else undefined. */
function findV8(): V8 | undefined {
  const { process } = globalThis as {
    process?: { versions?: Record<string, string | undefined>; getBuiltinModule?(id: string): unknown };
  };
  const { node, bun, deno } = process?.versions ?? {};
  if (!node || bun || deno || Number.parseInt(node, 10) < FIRST_NODE) return undefined;
  return process?.getBuiltinModule?.('node:v8') as V8 | undefined;
}

/** The bytes with an empty custom section behind them. */
function marked(source: BufferSource): Uint8Array<ArrayBuffer> {
  const bytes = ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
  const name = Array.from(MARK, (c) => c.charCodeAt(0));
  const result = new Uint8Array(bytes.length + name.length + 3);
  result.set(bytes);
  result.set([0, name.length + 1, name.length, ...name], bytes.length);
  return result;
}

/** Whether an instance of the module gives what the compiler saw. */
function passes(module: WebAssembly.Module, info: ModuleInfo): boolean {
  const { entries, selfTest } = info;
  const entry = entries.find((e) => e.export === selfTest?.export) as EntryInfo;
  if (!selfTest || !entry) return false;
  const { exports } = new WebAssembly.Instance(module, sharedImports(info));
  const { buffer } = exports.memory as WebAssembly.Memory;
  for (const input of entry.inputs) new Uint8Array(buffer, input.offset).set(selfTestInput(input, selfTest.seed));
  (exports[entry.export] as () => void)();
  return entry.outputs.every((output, i) => {
    const expected = selfTest.outputs[i];
    const bytes = new Uint8Array(buffer, output.offset, selfTestInput(output, 0).length);
    return expected?.name === output.name && expected.fnv1a === fnv1a(bytes);
  });
}

/**
 * Compiles with V8's pass that joins neighbouring 128-bit operations to 256-bit ones, and checks the result. Liftoff has
 * no such pass and would run first, so that the check would prove nothing: it is off, and all functions are compiled now.
 * All of it is synchronous, so that nothing else of this thread is compiled with these flags.
 */
function compileChecked(v8: V8, name: string, bytes: BufferSource): WebAssembly.Module | null {
  const flags = ['--experimental-wasm-revectorize', '--no-liftoff', '--no-wasm-lazy-compilation'];
  const back = ['--no-experimental-wasm-revectorize', '--liftoff', '--wasm-lazy-compilation'];
  for (const flag of flags) v8.setFlagsFromString(flag);
  try {
    const module = new WebAssembly.Module(marked(bytes));
    return passes(module, readInfo(name, module)) ? module : null;
  } catch {
    return null; // what is wrong with the bytes themselves, the usual way reports
  } finally {
    for (const flag of back) v8.setFlagsFromString(flag);
  }
}

/** load({ revectorize: true }): 256-bit code in Node, experimental. */
export const revectorize: LoaderPart = {
  async source(given: Source, options: LoadOptions, name: string): Promise<Source> {
    const v8 = options.revectorize ? findV8() : undefined;
    if (!v8 || isModule(given)) return given;
    let opened = await openSource(name, given, options);
    if (opened instanceof Response && opened.ok && !opened.bodyUsed) opened = await opened.arrayBuffer();
    return isBytes(opened) ? (compileChecked(v8, name, opened) ?? opened) : opened;
  },
  extend(net, { module }) {
    (net as { revectorized?: boolean }).revectorized = WebAssembly.Module.customSections(module, MARK).length > 0;
  },
};
