import { type KernelDef } from '../kernel.js';

/**
 * Reductions of f32 over some dimensions of a strided nest. Arguments: [source, target], byte addresses.
 */
export interface ReduceParams {
  readonly op: 'sum' | 'mean' | 'max' | 'min';
  /** Dimensions of the output, outermost first. */
  readonly kept: readonly ReduceKept[];
  /** Reduced dimensions, in the order of the sum. */
  readonly reduced: readonly ReduceAxis[];
}

export interface ReduceAxis {
  readonly size: number;
  /** Element stride of the source. */
  readonly source: number;
}

export interface ReduceKept extends ReduceAxis {
  /** Element stride of the target. */
  readonly target: number;
}

export declare const reduceKernel: KernelDef<ReduceParams>;
