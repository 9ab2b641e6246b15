import { importUnary, unaryOp } from './unary-function.js';

export const log = unaryOp({
  name: 'log',
  doc: 'natural logarithm: -infinity for 0, NaN below',
  fn: 'log',
  onnx: { Log: importUnary('log') },
});
