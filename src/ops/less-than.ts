import { comparisonOp, importComparison } from './comparison.js';

export const lessThan = comparisonOp({
  name: 'less_than',
  doc: 'x < y with numpy broadcasting; Greater with the operands exchanged',
  kernel: 'less',
  logical: false,
  holds: (a, b) => a < b,
  onnx: { Less: importComparison('less_than'), Greater: importComparison('less_than', true) },
});
