import { cpus } from 'node:os';

/** Where figures were measured. */
export interface Machine {
  readonly engine: string;
  readonly cpu: string;
  readonly cores: number;
  /** Most memory that the process held so far, in bytes. */
  readonly peakMemory: number;
}

/** This machine, as reports name it. */
export function machine(): Machine {
  const list = cpus();
  return {
    engine: `Node ${process.versions.node}, V8 ${process.versions.v8}`,
    cpu: list[0]?.model.trim() ?? 'unknown',
    cores: list.length,
    peakMemory: process.resourceUsage().maxRSS * 1024,
  };
}
