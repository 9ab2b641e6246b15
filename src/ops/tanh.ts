import { ofX } from './import-paddle.js';
import { activationOp } from './unary.js';

export const tanh = activationOp({
  name: 'tanh',
  doc: 'hyperbolic tangent',
  activation: () => ({ kind: 'tanh' }),
  paddle: { tanh: ofX('tanh') },
  onnx: { Tanh: (context) => context.add('tanh', {}, [context.input(0)]) },
});
