import { eraseKernel } from '../../codegen/kernel.js';
import { type GemmParams, packGemm, wovenGemm } from '../../codegen/kernels/gemm.js';
import { weave } from '../../codegen/kernels/weave.js';
import type { LowerContext, Ref } from '../../codegen/lowering.js';
import { chooseTile } from '../../codegen/select.js';

/** The packed weights of a matrix product; `get` gives the weight of a column, segment and k. */
export function gemmWeights(
  context: LowerContext,
  params: GemmParams,
  get: (column: number, segment: number, k: number) => number,
): Ref {
  if (context.sharesWeights && params.isa === 'relaxed') {
    const { nr } = chooseTile({ ...params, isa: 'simd', storage: 'i16' });
    const { codes, bytes, args } = wovenGemm(params, nr, get);
    const shared = context.transformedWeights(codes, bytes, { kernel: eraseKernel(weave), params: {}, args });
    if (shared) return shared;
  }
  return context.weights(packGemm(params, get));
}
