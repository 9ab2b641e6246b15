import { ofX } from './import-paddle.js';
import { importUnary, unaryOp } from './unary-function.js';

export const erf = unaryOp({
  name: 'erf',
  doc: 'the error function',
  fn: 'erf',
  paddle: { erf: ofX('erf') },
  onnx: { Erf: importUnary('erf') },
});
