import { ofX } from './import-paddle.js';
import { importUnary, unaryOp } from './unary-function.js';

export const ceil = unaryOp({
  name: 'ceil',
  doc: 'the least integer that is not below x',
  fn: 'ceil',
  paddle: { ceil: ofX('ceil') },
  onnx: { Ceil: importUnary('ceil') },
});
