import { eraseKernel } from '../../codegen/kernel.js';
import { extraSteps } from '../../codegen/kernels/extra-steps.js';
import { type GemmParams, packGemm, wovenGemm } from '../../codegen/kernels/gemm.js';
import { extraTableBytes, storedExtras } from '../../codegen/kernels/gemm-groups.js';
import { stepsPerSegment } from '../../codegen/kernels/gemm-layout.js';
import { weave } from '../../codegen/kernels/weave.js';
import type { LowerContext, Ref } from '../../codegen/lowering.js';
import { chooseGroup, chooseTile } from '../../codegen/select.js';

/** A matrix product that is ready for its calls: its parameters, and its arguments behind input and output. */
export interface ReadyGemm {
  readonly params: GemmParams;
  readonly weights: readonly Ref[];
}

/** Packs the weights of a matrix product; `get` gives the weight of a column, segment and k. */
export function gemmWeights(
  context: LowerContext,
  params: GemmParams,
  get: (column: number, segment: number, k: number) => number,
): ReadyGemm {
  if (context.sharesWeights && params.isa === 'relaxed') {
    const { nr } = chooseTile({ ...params, isa: 'simd', storage: 'i16' });
    const { codes, bytes, args } = wovenGemm(params, nr, get);
    const shared = context.transformedWeights(codes, bytes, { kernel: eraseKernel(weave), params: {}, args });
    if (shared) return { params, weights: [shared] };
  }
  const packed = packGemm(params, get);
  const choice = packed instanceof Int8Array ? chooseGroup(params, packed) : null;
  if (!choice) return { params, weights: [context.weights(packed)] };
  const { group, weights, extras } = choice;
  const places = { perSegment: stepsPerSegment(params), xSegments: params.taps.xSegments };
  const make = { kernel: eraseKernel(extraSteps), params: places, args: [extras.length] };
  const table = context.prepared(storedExtras(extras), extraTableBytes(extras), make);
  return { params: { ...params, tile: { ...params.tile, group } }, weights: [context.weights(weights), table] };
}
