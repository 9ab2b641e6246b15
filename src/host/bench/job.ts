import type { DataType, TensorInfo } from '../../runtime/abi.js';
import type { Profile } from '../../runtime/net.js';
import type { EngineAbout, Loaded, Round } from '../../tasks/bench.js';
import type { Peaks, ProbeSpeed } from '../../tasks/probe.js';

/** What can run a network: this compiler's modules, or onnxruntime in its two builds. */
export type EngineName = 'qc' | 'ort-node' | 'ort-web';

/** Data of an input: a raw little-endian file. */
export interface JobInput {
  readonly name: string;
  readonly dtype: DataType;
  readonly shape: readonly number[];
  readonly file: string;
}

/** What one process measures. */
export interface Job {
  readonly engine: EngineName;
  /** A .wasm or an emitted .mjs for qc, an ONNX file for the others. */
  readonly file: string;
  readonly inputs: readonly JobInput[];
  /** Modules of probe-module.ts: the one with relaxed SIMD counts where the engine has it. */
  readonly probes: readonly string[];
  /** A folder from which the packages of peers are found. */
  readonly packages: string;
  /** The entry of a module with several, from 0. */
  readonly entry?: number;
  /** Loads with 256-bit code. */
  readonly revectorize?: boolean;
}

/** The requests that a measuring process answers. */
export interface Requests {
  about: { request: object; result: EngineAbout };
  load: { request: object; result: Loaded };
  warmUp: { request: { block: number }; result: { runs: number; milliseconds: number } };
  measure: { request: { milliseconds: number }; result: Round };
  profile: { request: { rounds?: number }; result: Profile };
  peaks: { request: object; result: Peaks };
  probe: { request: object; result: ProbeSpeed };
  /** Peak memory of the process, in bytes. */
  memory: { request: object; result: number };
}

export type RequestName = keyof Requests;

/** The first message: the job. Then requests, one after another. */
export type Message = { readonly job: Job } | { readonly name: RequestName; readonly request: object };

/** The answer to a request. */
export type Answer = { readonly result: unknown } | { readonly error: string };

/** The tensor of a module as an input of a job. */
export const jobInput = ({ name, dtype, shape }: TensorInfo, file: string): JobInput => ({ name, dtype, shape, file });
