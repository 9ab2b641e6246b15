import { ofX } from './import-paddle.js';
import { importTrigonometry } from './import-trigonometry.js';
import { importUnary, unaryOp } from './unary-function.js';

export const sin = unaryOp({
  name: 'sin',
  doc: 'sine, for |x| up to some thousands',
  fn: 'sin',
  paddle: { sin: ofX('sin') },
  onnx: { Sin: importUnary('sin'), Tan: importTrigonometry('tan') },
});
