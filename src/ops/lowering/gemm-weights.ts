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

/** The weight of a column, segment and k. */
type WeightOf = (column: number, segment: number, k: number) => number;

/** Packs the weights of a matrix product; `get` gives the weight of a column, segment and k. */
export function gemmWeights(context: LowerContext, params: GemmParams, get: WeightOf): ReadyGemm {
  const packed = packGemm(params, get);
  const choice = packed instanceof Int8Array ? chooseGroup(params, packed) : null;
  const grouped: GemmParams = choice ? { ...params, tile: { ...params.tile, group: choice.group } } : params;
  const shared = wovenWeights(context, grouped, get);
  const weights = shared ?? context.weights(choice?.weights ?? packed);
  if (!choice) return { params, weights: [weights] };
  const { extras } = choice;
  const perSegment = stepsPerSegment(params);
  const steps = perSegment * params.taps.ySegments * params.taps.xSegments;
  const clears = { columns: Math.ceil(params.columns / 4) * 4, nr: params.tile.nr, steps };
  const table = context.prepared(storedExtras(extras), extraTableBytes(extras), {
    kernel: eraseKernel(extraSteps),
    params: { perSegment, xSegments: params.taps.xSegments, ...(shared ? { clears } : {}) },
    args: [extras.length, ...(shared ? [shared] : [])],
  });
  return { params: grouped, weights: [weights, table] };
}

/**
 * Weights in the order of relaxed products that `init` makes of what the other target stores, where both share them. With groups
 * of steps they have memory of their own, since weights are taken out of it.
 */
function wovenWeights(context: LowerContext, params: GemmParams, get: WeightOf): Ref | null {
  if (!context.sharesWeights || params.isa !== 'relaxed') return null;
  const { nr } = chooseTile({ ...params, isa: 'simd', storage: 'i16' });
  const { codes, bytes, args } = wovenGemm(params, nr, get);
  const { group } = params.tile;
  return context.transformedWeights(codes, bytes, { kernel: eraseKernel(weave), params: group ? { group } : {}, args });
}
