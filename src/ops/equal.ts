import { comparisonOp, importComparison } from './comparison.js';
import { alignedPair } from './import-paddle.js';

export const equal = comparisonOp({
  name: 'equal',
  doc: 'whether x equals y, with numpy broadcasting',
  kernel: 'equal',
  logical: false,
  holds: (a, b) => a === b,
  paddle: {
    not_equal: (context) => context.add('logical_not', {}, [context.add('equal', {}, alignedPair(context))]),
  },
  onnx: { Equal: importComparison('equal') },
});
