import { elementwiseOp } from './elementwise.js';

export const elementwiseDiv = elementwiseOp({
  name: 'elementwise_div',
  doc: 'x / y with numpy broadcasting, then the activation; integers truncate',
  onnx: 'Div',
  kernel: 'div',
  real: (a, b) => a / b,
});
