import { importUnary, unaryOp } from './unary-function.js';

export const ceil = unaryOp({
  name: 'ceil',
  doc: 'the least integer that is not below x',
  fn: 'ceil',
  onnx: { Ceil: importUnary('ceil') },
});
