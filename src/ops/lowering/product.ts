import { epilogueArguments } from '../../codegen/kernels/epilogue.js';
import { type GemmParams, gemm } from '../../codegen/kernels/gemm.js';
import { type LowerContext, laneStorage, refOf } from '../../codegen/lowering.js';
import { chooseTile } from '../../codegen/select.js';
import { isCodes, sizeOf } from '../../ir/type.js';
import { toReal } from '../../quant/tensors.js';
import { centredCodes } from '../codes.js';
import type { ProductAttrs } from '../product-shared.js';
import { operandIsa, planEpilogue } from './epilogue.js';
import { gemmWeights } from './gemm-weights.js';
import { lowerComputedProduct } from './matmul.js';
import { withContiguousOutput } from './movement.js';

/** mul and fc with constant weights: rows of x are the pixels of a matrix product. */
export function lowerProduct(context: LowerContext, attrs: ProductAttrs): void {
  const w = context.constant(1);
  if (!w || (context.hasInput(2) && !context.constant(2))) return lowerComputedProduct(context, attrs);
  const x = context.input(0, { contiguous: true });
  const [k, n] = (attrs.transposeWeights ? [...w.type.shape].reverse() : w.type.shape) as [number, number];
  const codes = isCodes(context.inputType(0));
  const weights = codes ? centredCodes(w) : Float64Array.from(toReal(w).data as Float32Array);
  const at = (column: number, i: number): number =>
    weights[attrs.transposeWeights ? column * k + i : i * n + column] as number;
  const weightSums = Float64Array.from({ length: n }, (_, c) => {
    let sum = 0;
    for (let i = 0; i < k; i++) sum += Math.abs(at(c, i));
    return sum;
  });
  const { epilogue, args } = planEpilogue(context, { channels: n, activation: attrs.activation ?? null, weightSums });
  const shape: Omit<GemmParams, 'tile'> = {
    storage: laneStorage(x),
    isa: operandIsa(context, x),
    columns: n,
    rows: 1,
    cols: sizeOf(x.shape) / k,
    taps: { ySegments: 1, xSegments: 1, length: k, yStride: 0, xStride: 0 },
    pixStride: k,
    rowStride: 0,
    outPix: n,
    outRow: 0,
    epilogue,
  };
  const params: GemmParams = { ...shape, tile: chooseTile(shape) };
  const ready = gemmWeights(context, params, (column, _segment, i) => at(column, i));
  withContiguousOutput(context, (out) =>
    context.call(gemm, ready.params, [
      refOf(x),
      refOf(out),
      ...ready.weights,
      ...epilogueArguments(epilogue, args(0, n, 0)),
    ]),
  );
}
