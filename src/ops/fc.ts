import type { Value } from '../ir/graph.js';
import { f32 } from '../ir/tensor.js';
import type { ImportContext, OnnxImporter } from './import-context.js';
import { importFc } from './import-paddle-product.js';
import { operatorForm } from './import-quantized.js';
import { lowerProduct } from './lowering/product.js';
import { defineOp } from './op.js';
import { inferProduct, integerProduct, type ProductAttrs, productMacs, referenceProduct } from './product-shared.js';
import { show } from './shapes.js';

/** A value times a constant factor; the value itself for 1. */
const scaled = (context: ImportContext, v: Value, factor: number): Value =>
  factor === 1
    ? v
    : context.add('elementwise_mul', { activation: null }, [v, context.literal('factor', f32([], [factor]))]);

/** ONNX Gemm: alpha * op(A) * op(B) + beta * C. A C of [N] or [1, N] is the bias of an fc, any other is added. */
const importGemm: OnnxImporter = (context) => {
  const { attrs } = context;
  const [a, b, c] = [context.input(0), context.input(1), context.optional(2)];
  const [ra, rb] = [a.type.shape.length, b.type.shape.length];
  if (ra !== 2 || rb !== 2)
    throw new Error(`product of ${show(a.type.shape)} and ${show(b.type.shape)}: rank 2 expected`);
  const x = attrs.int('transA', 0) ? context.add('transpose2', { perm: [1, 0] }, [a]) : a;
  const product = { transposeWeights: attrs.int('transB', 0) !== 0, activation: null };
  const [alpha, beta] = [attrs.float('alpha', 1), attrs.float('beta', 1)];
  if (!c || beta === 0) return scaled(context, context.add('mul', product, [x, b]), alpha);
  const n = b.type.shape[product.transposeWeights ? 0 : 1] as number;
  const cs = c.type.shape;
  const perColumn = cs.at(-1) === n && (cs.length === 1 || (cs.length === 2 && cs[0] === 1));
  if (!perColumn || alpha !== 1) {
    const y = scaled(context, context.add('mul', product, [x, b]), alpha);
    return context.add('elementwise_add', { activation: null }, [y, scaled(context, c, beta)]);
  }
  const bias = cs.length === 1 ? c : context.add('reshape2', { shape: [n] }, [c]);
  return context.add('fc', product, [x, b, scaled(context, bias, beta)]);
};

/** onnxruntime's QGemm: without a scale of the result, that is real. */
const importQGemm = operatorForm(
  ({ attrs }) => ({
    operands: [
      { codes: 0, scale: 1, zero: 2, axis: 0 },
      { codes: 3, scale: 4, zero: 5, axis: attrs.int('transB', 0) ? 0 : 1 },
    ],
    bias: { slot: 6, factor: attrs.float('alpha', 1) },
    result: { scale: 7, zero: 8, optional: true },
  }),
  importGemm,
);

export const fc = defineOp<ProductAttrs>({
  name: 'fc',
  doc: 'matrix product with bias: x[...,K] * w[K,N] (or w[N,K] with transposeWeights) + bias[N], then the activation',
  inputs: [2, 3],
  quant: 'requantizes',
  lower: lowerProduct,
  infer: inferProduct,
  reference: referenceProduct,
  macs: productMacs,
  integer: integerProduct,
  paddle: { fc: importFc },
  onnx: { Gemm: importGemm, 'com.microsoft:QGemm': importQGemm },
});
