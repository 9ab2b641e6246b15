import { ofX } from './import-paddle.js';
import { importUnary, unaryOp } from './unary-function.js';

export const sign = unaryOp({
  name: 'sign',
  doc: '-1, 0 or 1',
  fn: 'sign',
  whole: (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n),
  paddle: { sign: ofX('sign') },
  onnx: { Sign: importUnary('sign') },
});
