import { importUnary, unaryOp } from './unary-function.js';

export const negative = unaryOp({
  name: 'negative',
  doc: '-x',
  fn: 'neg',
  whole: (x) => -x,
  onnx: { Neg: importUnary('negative') },
});
