import type { DataType, StepInfo } from './abi.js';

/** A tensor at the border: what the caller hands in and gets back. */
export type TypedArray = Float32Array | Int8Array | Uint8Array | Int32Array | BigInt64Array;

/** An input or output as the caller sees it. */
export interface TensorDescription {
  readonly name: string;
  readonly dtype: DataType;
  readonly shape: readonly number[];
}

/** Where the module comes from. A string is a URL, or a path where there is a file system. */
export type Source = string | URL | Response | ArrayBuffer | ArrayBufferView | WebAssembly.Module;

/** How the module is fetched and made ready. */
export interface LoadOptions {
  /** Used in place of the global fetch, for instance to add headers. */
  readonly fetch?: (url: string | URL) => Promise<Response>;
  /** Runs the net a few times before it is handed out, so that its first real run is fast. */
  readonly warmUp?: boolean;
  /** Experimental, Node 24 and later: 256-bit code, checked before use; other engines ignore it. */
  readonly revectorize?: boolean;
  /** Modules for several threads: how many share a run, which then gives a promise; true: as many as there are cores, up to 8. */
  readonly threads?: number | boolean;
  /** Modules for several threads: the memory of a net that this one is a further instance of. */
  readonly memory?: WebAssembly.Memory;
}

/** The functions of one entry. */
export interface EntryNet {
  readonly inputs: readonly TensorDescription[];
  readonly outputs: readonly TensorDescription[];
  /** Copies the inputs in, computes, copies the outputs out. Data of k items gives outputs of k items. */
  run(inputs: Readonly<Record<string, TypedArray>>): Record<string, TypedArray>;
  /** Computes on what the input views hold; results are in the output views. A run may overwrite its inputs. */
  runInPlace(): void;
  /** View of an input's buffer, without a copy. */
  input(name: string): TypedArray;
  /** View of an output's buffer, without a copy; the next run overwrites it. */
  output(name: string): TypedArray;
}

/** How a profile is taken. */
export interface ProfileOptions {
  /** Measured passes over all steps, each beside a whole run; 30 by default, more where the machine is busy. */
  readonly rounds?: number;
  /** A clock in milliseconds; `performance.now` by default. */
  readonly now?: () => number;
}

/** A step and the time it takes, in milliseconds. */
export interface StepTime extends StepInfo {
  readonly milliseconds: number;
  /** How often a pass called it in a row: more than once where one call is too short for the clock. */
  readonly repeats: number;
}

/** What a profile found, times in milliseconds. */
export interface Profile {
  readonly rounds: number;
  /** Median time of a whole run, in turns with the passes, over the runs that no other process disturbed. */
  readonly run: number;
  /** How many passes and runs at least were calm; few where the machine is busy. */
  readonly calm: number;
  /** Sum over the steps. */
  readonly sum: number;
  readonly steps: readonly StepTime[];
}

/** A loaded network: one instance with its own memory. */
export interface Net extends EntryNet {
  readonly memoryBytes: number;
  /** Lets go of the memory; the net cannot be used any more. */
  free(): void;
  /** Profile builds: the parts of a run, in order. */
  readonly steps?: readonly StepInfo[];
  /** Profile builds: computes one part on what the memory holds. All in order, from 0 on, are `runInPlace`. */
  step?(index: number): void;
  /** Profile builds: times every step on what the input views hold. */
  profile?(options?: ProfileOptions): Profile;
}

/** What the loader of a package exports. */
export interface Loader {
  load(source?: Source | Promise<Source> | LoadOptions, options?: LoadOptions): Promise<Net>;
  loadSync(source: ArrayBuffer | ArrayBufferView | WebAssembly.Module, options?: LoadOptions): Net;
}
