import { elementwiseOp, importChain } from './elementwise.js';

export const elementwiseMax = elementwiseOp({
  name: 'elementwise_max',
  doc: 'the greater of x and y with numpy broadcasting; Max of more operands is a chain',
  onnx: 'Max',
  importers: { Max: importChain('elementwise_max') },
  kernel: 'max',
  real: (a, b) => (a < b ? b : a),
});
