import { comparisonOp, importComparison } from './comparison.js';
import { alignedPair } from './import-paddle.js';

export const lessEqual = comparisonOp({
  name: 'less_equal',
  doc: 'x <= y with numpy broadcasting; GreaterOrEqual with the operands exchanged',
  kernel: 'less_equal',
  logical: false,
  holds: (a, b) => a <= b,
  paddle: { greater_equal: (context) => context.add('less_equal', {}, alignedPair(context).reverse()) },
  onnx: { LessOrEqual: importComparison('less_equal'), GreaterOrEqual: importComparison('less_equal', true) },
});
