import { ofX } from './import-paddle.js';
import { importUnary, unaryOp } from './unary-function.js';

export const floor = unaryOp({
  name: 'floor',
  doc: 'the greatest integer that is not above x',
  fn: 'floor',
  paddle: { floor: ofX('floor') },
  onnx: { Floor: importUnary('floor') },
});
