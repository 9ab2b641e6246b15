import { type KernelDef } from '../kernel.js';

/**
 * Batched product of contiguous row-major f32 matrices: target[b][m][n] = sum over k of a[b][m][k] * b[b][k][n]
 * (transB: b[b][n][k]). Arguments: [a, b, target], byte addresses.
 */
export interface MatmulParams {
  readonly batch: number;
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly transB: boolean;
  /** False: one b matrix serves all batches. */
  readonly batchedB: boolean;
}

export declare const matmulKernel: KernelDef<MatmulParams>;
