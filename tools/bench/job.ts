/** What the runner and the processes it starts tell each other. */
import type { EngineName } from '../../src/host/bench/job.js';
import type { ProbeSpeed } from '../../src/tasks/probe.js';

export type { EngineName };

/** One measurement, done in a process of its own. */
export interface Job {
  readonly engine: EngineName;
  /** The ONNX file; for qc the emitted loader. */
  readonly file: string;
  readonly shape: readonly number[];
  /** Raw float32 input. */
  readonly input: string;
  /** Where the raw float32 output goes. */
  readonly output: string;
  /** The register-only probe (see probe.ts). */
  readonly probe: string;
  /** A folder whose packages are used (onnxruntime). */
  readonly packages: string;
  readonly seconds: number;
  /** qc: loads with 256-bit code, which must succeed. */
  readonly revectorize?: boolean;
  /** onnxruntime without graph optimizations: slow, but every op is evaluated as the file says. */
  readonly exact?: boolean;
}

/** What a measurement found out. Times in milliseconds. */
export interface Measurement {
  readonly median: number;
  readonly best: number;
  readonly runs: number;
  readonly load: number;
  readonly firstRun: number;
  /** Peak memory of the process in MB. */
  readonly memory: number;
  /** CPU time by wall time while measuring: well below 1 where another process had the core. */
  readonly cpuShare: number;
  /** The machine before and after. */
  readonly probe: readonly [ProbeSpeed, ProbeSpeed];
}

/** The mark in front of the line with the result. */
export const RESULT_MARK = '@@';
