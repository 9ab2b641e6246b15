import { importMul } from './import-paddle-product.js';
import { lowerProduct } from './lowering/product.js';
import { defineOp } from './op.js';
import { inferProduct, integerProduct, type ProductAttrs, productMacs, referenceProduct } from './product-shared.js';

export const mul = defineOp<ProductAttrs>({
  name: 'mul',
  doc: 'matrix product x[...,K] * w[K,N] (or w[N,K] with transposeWeights); imported from Gemm and MatMul',
  inputs: [2, 3],
  quant: 'requantizes',
  lower: lowerProduct,
  infer: inferProduct,
  reference: referenceProduct,
  macs: productMacs,
  integer: integerProduct,
  paddle: { mul: importMul },
});
