import { ofX } from './import-paddle.js';
import { unaryOp } from './unary-function.js';

export const square = unaryOp({
  name: 'square',
  doc: 'x * x; made from powers and norms',
  fn: 'square',
  paddle: { square: ofX('square') },
  onnx: {},
});
