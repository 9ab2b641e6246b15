import { importUnary, unaryOp } from './unary-function.js';

export const round = unaryOp({
  name: 'round',
  doc: 'the nearest integer, ties to even',
  fn: 'round',
  onnx: { Round: importUnary('round') },
});
