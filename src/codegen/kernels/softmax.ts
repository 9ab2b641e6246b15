import { type KernelDef } from '../kernel.js';

/**
 * Softmax of contiguous f32 rows [rows][n]: exp(x - max) / sum. The sum is taken in four lanes in index order, then
 * over the lanes in order. Arguments: [source, target], byte addresses, which may be equal.
 */
export interface SoftmaxParams {
  readonly rows: number;
  readonly n: number;
}

export declare const softmaxKernel: KernelDef<SoftmaxParams>;
