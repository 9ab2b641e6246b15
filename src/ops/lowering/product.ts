import { epilogueArguments } from '../../codegen/kernels/epilogue.js';
import { type GemmParams, gemm, packGemm } from '../../codegen/kernels/gemm.js';
import { matmulKernel } from '../../codegen/kernels/matmul.js';
import { type LowerContext, refOf } from '../../codegen/lowering.js';
import { chooseTile } from '../../codegen/select.js';
import { isCodes, sizeOf } from '../../ir/type.js';
import { toReal } from '../../quant/tensors.js';
import { modelError } from '../../support/errors.js';
import { broadcastStrides } from '../broadcast.js';
import { centredCodes } from '../codes.js';
import type { ProductAttrs } from '../product-shared.js';
import { applyBinary } from './elementwise.js';
import { operandIsa, planEpilogue } from './epilogue.js';
import { applyOp, withContiguousOutput } from './movement.js';

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
    storage: x.storage,
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
  const stored = context.weights(packGemm(params, (column, _segment, i) => at(column, i)));
  withContiguousOutput(context, (out) =>
    context.call(gemm, params, [refOf(x), refOf(out), stored, ...epilogueArguments(epilogue, args(0, n, 0))]),
  );
}

/** A product with weights or a bias that are computed at run time: reals only. */
function lowerComputedProduct(context: LowerContext, attrs: ProductAttrs): void {
  const [a, b] = [context.input(0, { contiguous: true }), context.input(1, { contiguous: true })];
  const [k, n] = (attrs.transposeWeights ? [...b.shape].reverse() : b.shape) as [number, number];
  const params = { batch: 1, m: sizeOf(a.shape) / k, k, n, transB: attrs.transposeWeights, batchedB: false };
  withContiguousOutput(context, (out) => {
    context.call(matmulKernel, params, [refOf(a), refOf(b), refOf(out)]);
    if (context.hasInput(2)) {
      const bias = context.input(2, { contiguous: true });
      const strides = out.shape.map((_, d) => (d === out.shape.length - 1 ? 1 : 0));
      applyBinary(context, 'add', out, { ...bias, shape: out.shape, strides }, out);
    }
    if (attrs.activation) applyOp(context, { kind: 'activation', activation: attrs.activation }, out);
  });
}

/** matmul of two activations. The batch of y must equal that of x, or be 1. */
export function lowerMatmul(
  context: LowerContext,
  attrs: { readonly transX: boolean; readonly transY: boolean; readonly alpha: number },
): void {
  const [a, b] = [context.input(0, { contiguous: true }), context.input(1, { contiguous: true })];
  const batchShape = context.outputType().shape.slice(0, -2);
  const batch = sizeOf(batchShape);
  const [m, n] = context.outputType().shape.slice(-2) as [number, number];
  const k = (attrs.transX ? a.shape.at(-2) : a.shape.at(-1)) as number;
  if (attrs.transX || attrs.alpha !== 1)
    throw modelError('matmul with a transposed first operand or a factor has no kernel');
  const base = { k, n, transB: attrs.transY };
  const strideOf = (shape: readonly number[]): number[] => broadcastStrides(shape.slice(0, -2), batchShape);
  withContiguousOutput(context, (out) => {
    if (sizeOf(b.shape.slice(0, -2)) === 1 && sizeOf(a.shape.slice(0, -2)) === batch)
      return context.call(matmulKernel, { ...base, batch: 1, m: batch * m, batchedB: false }, [
        refOf(a),
        refOf(b),
        refOf(out),
      ]);
    if (
      a.shape.length === b.shape.length &&
      sizeOf(a.shape.slice(0, -2)) === batch &&
      sizeOf(b.shape.slice(0, -2)) === batch
    )
      return context.call(matmulKernel, { ...base, batch, m, batchedB: true }, [refOf(a), refOf(b), refOf(out)]);
    const [sa, sb] = [strideOf(a.shape), strideOf(b.shape)];
    for (let i = 0; i < batch; i++) {
      const [ia, ib] = [offsetOf(i, batchShape, sa), offsetOf(i, batchShape, sb)];
      const args = [refOf(a, ia * m * k), refOf(b, ib * k * n), refOf(out, i * m * n)];
      context.call(matmulKernel, { ...base, batch: 1, m, batchedB: false }, args);
    }
  });
}

function offsetOf(index: number, shape: readonly number[], strides: readonly number[]): number {
  let [rest, at] = [index, 0];
  for (let d = shape.length - 1; d >= 0; d--) {
    at += (rest % (shape[d] as number)) * (strides[d] as number);
    rest = Math.floor(rest / (shape[d] as number));
  }
  return at;
}
