import { ofX } from './import-paddle.js';
import { importUnary, unaryOp } from './unary-function.js';

export const sqrt = unaryOp({
  name: 'sqrt',
  doc: 'square root: NaN below 0',
  fn: 'sqrt',
  paddle: { sqrt: ofX('sqrt') },
  onnx: { Sqrt: importUnary('sqrt') },
});
