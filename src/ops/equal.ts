import { comparisonOp, importComparison } from './comparison.js';

export const equal = comparisonOp({
  name: 'equal',
  doc: 'whether x equals y, with numpy broadcasting',
  kernel: 'equal',
  logical: false,
  holds: (a, b) => a === b,
  onnx: { Equal: importComparison('equal') },
});
