import { importUnary, unaryOp } from './unary-function.js';

export const reciprocal = unaryOp({
  name: 'reciprocal',
  doc: '1 / x',
  fn: 'reciprocal',
  onnx: { Reciprocal: importUnary('reciprocal') },
});
