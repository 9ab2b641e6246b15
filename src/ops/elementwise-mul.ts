import { scaledSum, scaleFactor } from '../quant/requantize.js';
import { elementwiseOp, importPair } from './elementwise.js';
import { quantizedOp } from './import-quantized.js';

const importMul = importPair('elementwise_mul');

export const elementwiseMul = elementwiseOp({
  name: 'elementwise_mul',
  doc: 'x * y with numpy broadcasting, then the activation',
  onnx: 'Mul',
  importers: { Mul: importMul, 'com.microsoft:QLinearMul': quantizedOp(2, importMul) },
  kernel: 'mul',
  real: (a, b) => a * b,
  // The product of two centred codes is an exact integer, as a sum of a convolution is.
  scaled: (a, b, sa, sb, unit) => scaledSum(a * b, scaleFactor(sa, sb, unit)),
});
