import { importUnary, unaryOp } from './unary-function.js';

export const erf = unaryOp({
  name: 'erf',
  doc: 'the error function',
  fn: 'erf',
  onnx: { Erf: importUnary('erf') },
});
