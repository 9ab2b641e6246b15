import { comparisonOp, importComparison } from './comparison.js';

export const lessEqual = comparisonOp({
  name: 'less_equal',
  doc: 'x <= y with numpy broadcasting; GreaterOrEqual with the operands exchanged',
  kernel: 'less_equal',
  logical: false,
  holds: (a, b) => a <= b,
  onnx: { LessOrEqual: importComparison('less_equal'), GreaterOrEqual: importComparison('less_equal', true) },
});
