import { ofX } from './import-paddle.js';
import { importTrigonometry } from './import-trigonometry.js';
import { importUnary, unaryOp } from './unary-function.js';

export const log = unaryOp({
  name: 'log',
  doc: 'natural logarithm: -infinity for 0, NaN below',
  fn: 'log',
  paddle: {
    log: ofX('log'),
    logsigmoid: (context) => context.add('log', {}, [context.add('sigmoid', {}, [context.input('X')])]),
  },
  onnx: {
    Log: importUnary('log'),
    Asinh: importTrigonometry('asinh'),
    Acosh: importTrigonometry('acosh'),
    Atanh: importTrigonometry('atanh'),
  },
});
