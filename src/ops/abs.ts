import { ofX } from './import-paddle.js';
import { importUnary, unaryOp } from './unary-function.js';

export const abs = unaryOp({
  name: 'abs',
  doc: 'absolute value',
  fn: 'abs',
  whole: (x) => (x < 0n ? -x : x),
  paddle: { abs: ofX('abs') },
  onnx: { Abs: importUnary('abs') },
});
