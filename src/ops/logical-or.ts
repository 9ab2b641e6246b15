import { comparisonOp, importComparison } from './comparison.js';

export const logicalOr = comparisonOp({
  name: 'logical_or',
  doc: 'whether one of both holds',
  kernel: 'or',
  logical: true,
  holds: (a, b) => a !== 0 || b !== 0,
  onnx: { Or: importComparison('logical_or') },
});
