import type { EntryInfo, ModuleInfo } from './runtime/abi.js';
import { byteLengthOf, selfTestInput, selfTestOutput } from './runtime/self-test.js';
import { sharedImports } from './runtime/shared-memory.js';

const SEED = 1;

/**
 * Runs a module once on generated inputs and adds the outputs' checksums to its description, so that any engine can
 * be compared with the one that compiled. Where the engine lacks the module's instructions, the module of `emulate` runs.
 */
export async function attachSelfTest(
  info: ModuleInfo,
  build: (info: ModuleInfo) => Uint8Array,
  emulate: (info: ModuleInfo) => Promise<Uint8Array>,
): Promise<ModuleInfo> {
  const native = build(info) as Uint8Array<ArrayBuffer>;
  const bytes = WebAssembly.validate(native) ? native : ((await emulate(info)) as Uint8Array<ArrayBuffer>);
  const { instance } = await WebAssembly.instantiate(bytes, sharedImports(info));
  const { memory, run } = instance.exports as { memory: WebAssembly.Memory; run: () => void };
  const entry = info.entries[0] as EntryInfo;
  const at = (t: EntryInfo['inputs'][number], length: number) => new Uint8Array(memory.buffer, t.offset, length);
  for (const input of entry.inputs) {
    const data = selfTestInput(input, SEED);
    at(input, data.length).set(data);
  }
  run();
  const outputs = entry.outputs.map((t) => selfTestOutput(t.name, at(t, byteLengthOf(t))));
  return { ...info, selfTest: { export: entry.export, seed: SEED, outputs } };
}
