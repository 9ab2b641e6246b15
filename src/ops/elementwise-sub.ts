import { elementwiseOp, scaledAddition } from './elementwise.js';

export const elementwiseSub = elementwiseOp({
  name: 'elementwise_sub',
  doc: 'x - y with numpy broadcasting, then the activation',
  onnx: 'Sub',
  kernel: 'sub',
  real: (a, b) => a - b,
  scaled: (a, b, sa, sb, unit) => scaledAddition(a, -b, sa, sb, unit),
});
