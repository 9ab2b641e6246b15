import { ofX } from './import-paddle.js';
import { importTrigonometry } from './import-trigonometry.js';
import { importUnary, unaryOp } from './unary-function.js';

export const exp = unaryOp({
  name: 'exp',
  doc: 'e to the power of x',
  fn: 'exp',
  paddle: { exp: ofX('exp') },
  onnx: { Exp: importUnary('exp'), Sinh: importTrigonometry('sinh'), Cosh: importTrigonometry('cosh') },
});
