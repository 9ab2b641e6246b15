import { activationOp } from './unary.js';

export const tanh = activationOp({
  name: 'tanh',
  doc: 'hyperbolic tangent',
  activation: () => ({ kind: 'tanh' }),
  onnx: { Tanh: (context) => context.add('tanh', {}, [context.input(0)]) },
});
