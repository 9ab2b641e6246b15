import { ofX } from './import-paddle.js';
import { importCrossEntropy, importSoftmaxCrossEntropy } from './import-paddle-accuracy.js';
import { importTrigonometry } from './import-trigonometry.js';
import { importUnary, unaryOp } from './unary-function.js';

export const log = unaryOp({
  name: 'log',
  doc: 'natural logarithm: -infinity for 0, NaN below',
  fn: 'log',
  paddle: {
    cross_entropy: importCrossEntropy,
    cross_entropy2: importCrossEntropy,
    log: ofX('log'),
    softmax_with_cross_entropy: importSoftmaxCrossEntropy,
    logsigmoid: (context) => context.add('log', {}, [context.add('sigmoid', {}, [context.input('X')])]),
  },
  onnx: {
    Log: importUnary('log'),
    Asinh: importTrigonometry('asinh'),
    Acosh: importTrigonometry('acosh'),
    Atanh: importTrigonometry('atanh'),
  },
});
