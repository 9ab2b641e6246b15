import { importUnary, unaryOp } from './unary-function.js';

export const floor = unaryOp({
  name: 'floor',
  doc: 'the greatest integer that is not above x',
  fn: 'floor',
  onnx: { Floor: importUnary('floor') },
});
