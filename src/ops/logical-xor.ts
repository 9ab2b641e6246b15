import { comparisonOp, importComparison } from './comparison.js';

export const logicalXor = comparisonOp({
  name: 'logical_xor',
  doc: 'whether exactly one of both holds',
  kernel: 'xor',
  logical: true,
  holds: (a, b) => (a !== 0) !== (b !== 0),
  onnx: { Xor: importComparison('logical_xor') },
});
