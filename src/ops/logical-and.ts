import { comparisonOp, importComparison } from './comparison.js';

export const logicalAnd = comparisonOp({
  name: 'logical_and',
  doc: 'whether both hold',
  kernel: 'and',
  logical: true,
  holds: (a, b) => a !== 0 && b !== 0,
  onnx: { And: importComparison('logical_and') },
});
