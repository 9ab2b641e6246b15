import { ofX } from './import-paddle.js';
import { importUnary, unaryOp } from './unary-function.js';

export const reciprocal = unaryOp({
  name: 'reciprocal',
  doc: '1 / x',
  fn: 'reciprocal',
  paddle: {
    reciprocal: ofX('reciprocal'),
    rsqrt: (context) => context.add('reciprocal', {}, [context.add('sqrt', {}, [context.input('X')])]),
  },
  onnx: { Reciprocal: importUnary('reciprocal') },
});
