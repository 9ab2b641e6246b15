import { elementwiseOp, scaledAddition } from './elementwise.js';

export const elementwiseAdd = elementwiseOp({
  name: 'elementwise_add',
  doc: 'x + y with numpy broadcasting, then the activation',
  onnx: 'Add',
  kernel: 'add',
  real: (a, b) => a + b,
  whole: (a, b) => a + b,
  scaled: scaledAddition,
});
