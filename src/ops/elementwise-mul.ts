import { scaledSum, scaleFactor } from '../quant/requantize.js';
import { elementwiseOp } from './elementwise.js';

export const elementwiseMul = elementwiseOp({
  name: 'elementwise_mul',
  doc: 'x * y with numpy broadcasting, then the activation',
  onnx: 'Mul',
  kernel: 'mul',
  real: (a, b) => a * b,
  whole: (a, b) => a * b,
  // The product of two centred codes is an exact integer, as a sum of a convolution is.
  scaled: (a, b, sa, sb, unit) => scaledSum(a * b, scaleFactor(sa, sb, unit)),
});
