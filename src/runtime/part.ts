import type { EntryInfo, ModuleInfo, TensorInfo } from './abi.js';
import type { EntryNet, LoadOptions, Net, Source } from './net.js';

/** What an instance exports: the memory, and functions without results; only the step of profile builds takes a number. */
export type Exports = Record<string, ((index?: number) => void) | undefined> & { memory: WebAssembly.Memory };

/** What a part sees of a net. */
export interface NetContext {
  /** Name of the package; every message starts with it. */
  readonly name: string;
  readonly info: ModuleInfo;
  readonly module: WebAssembly.Module;
  readonly options: LoadOptions;
  /** The exports of the instance; throws where the net was freed. */
  exports(): Exports;
  /** The functions of one entry; those of the net are the first entry's. */
  bind(entry: EntryInfo): EntryNet;
  /** A tensor in words, for messages. */
  describe(tensor: TensorInfo): string;
  /** Another net of a module, with the same options; `ready` hooks are not asked. */
  instantiate(module: WebAssembly.Module): Promise<Net>;
}

/**
 * A piece of the loader that only some packages need. All hooks are optional; they are asked in the order of the
 * table in parts.ts. A part is one file in parts/ that exports an object of this type under the file's name in
 * camelCase.
 */
export interface LoaderPart {
  /** Only in load: before anything is opened or compiled. May give another source. `own`: the caller named none. */
  source?(given: Source, options: LoadOptions, name: string, own: boolean): Source | Promise<Source>;
  /** What the instance imports. */
  imports?(info: ModuleInfo, options: LoadOptions, name: string): WebAssembly.Imports;
  /** Adds members to a net, or replaces them. */
  extend?(net: Net, context: NetContext): void;
  /** Only in load: the net is complete. What it gives takes the net's place. */
  ready?(net: Net, context: NetContext): Promise<Net>;
}
