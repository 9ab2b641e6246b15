import { comparisonOp, importComparison } from './comparison.js';
import { alignedPair } from './import-paddle.js';

export const lessThan = comparisonOp({
  name: 'less_than',
  doc: 'x < y with numpy broadcasting; Greater with the operands exchanged',
  kernel: 'less',
  logical: false,
  holds: (a, b) => a < b,
  paddle: { greater_than: (context) => context.add('less_than', {}, alignedPair(context).reverse()) },
  onnx: { Less: importComparison('less_than'), Greater: importComparison('less_than', true) },
});
