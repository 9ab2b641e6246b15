import { elementwiseOp, importChain } from './elementwise.js';

export const elementwiseMin = elementwiseOp({
  name: 'elementwise_min',
  doc: 'the lesser of x and y with numpy broadcasting; Min of more operands is a chain',
  onnx: 'Min',
  importers: { Min: importChain('elementwise_min') },
  kernel: 'min',
  real: (a, b) => (b < a ? b : a),
});
