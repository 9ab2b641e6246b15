import { ofX } from './import-paddle.js';
import { importTrigonometry } from './import-trigonometry.js';
import { importUnary, unaryOp } from './unary-function.js';

export const cos = unaryOp({
  name: 'cos',
  doc: 'cosine, for |x| up to some thousands',
  fn: 'cos',
  paddle: { cos: ofX('cos') },
  onnx: {
    Cos: importUnary('cos'),
    Atan: importTrigonometry('atan'),
    Asin: importTrigonometry('asin'),
    Acos: importTrigonometry('acos'),
  },
});
