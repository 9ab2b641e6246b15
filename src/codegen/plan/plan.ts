import type { EntryInfo, ImageInfo } from '../../runtime/abi.js';
import type { KernelDef } from '../kernel.js';
import type { Arg, Ref, View } from '../lowering.js';

/**
 * A region of memory.
 *
 * - data: constant bytes in the file
 * - packed: weights that `init` produces from data
 * - input, output: the border of the module, never reused
 * - arena: lives from the first call that names it to the last one, and shares memory with others
 */
export interface Buffer {
  readonly kind: 'data' | 'packed' | 'input' | 'output' | 'arena';
  readonly bytes: number;
  /** For people: the value or what the data is. */
  readonly label: string;
  readonly content?: Uint8Array;
  /** In the arena: used within single tasks, so that threads need one each. */
  readonly ofTask?: boolean;
}

/** One kernel call. */
export interface Call {
  readonly kernel: KernelDef;
  readonly params: object;
  readonly args: readonly Arg[];
  /** Id of the node it computes. */
  readonly node: number;
  /** Tasks of a node do not depend on each other: calls with equal numbers are one. */
  readonly task?: number;
}

/** Everything that emission needs, as plain data. */
export interface Plan {
  readonly buffers: readonly Buffer[];
  /** Calls of `init`. */
  readonly init: readonly Call[];
  /** Calls of `run`, in order. */
  readonly calls: readonly Call[];
  readonly inputs: readonly Border[];
  readonly outputs: readonly Border[];
  /** Where there are several entries: their parts of `calls`, and their borders; inputs and outputs above are the first's. */
  readonly entries?: readonly PlanEntry[];
  /** Where values lie, by value; a value that no call reads or writes may be missing. */
  readonly views: ReadonlyMap<number, View>;
}

/** One entry of a plan of several: calls from `start` on, before `end`. */
export interface PlanEntry {
  readonly start: number;
  readonly end: number;
  readonly inputs: readonly Border[];
  readonly outputs: readonly Border[];
}

/** The entries of a plan. */
export const entriesOf = (plan: Plan): readonly PlanEntry[] =>
  plan.entries ?? [{ start: 0, end: plan.calls.length, inputs: plan.inputs, outputs: plan.outputs }];

/** The export that runs an entry. */
export const entryExport = (index: number): string => (index === 0 ? 'run' : `run_${index}`);

/** An input or output and its buffer. */
export interface Border {
  readonly info: Omit<EntryInfo['inputs'][number], 'offset' | 'image'>;
  readonly buffer: number;
  /** Of pixels; `size` is the buffer of their size. */
  readonly image?: ImageInfo;
}

/** Whether an argument is a place in a buffer. */
export const isRef = (arg: Arg): arg is Ref => typeof arg === 'object';
