import { activationOp } from './unary.js';

export const sigmoid = activationOp({
  name: 'sigmoid',
  doc: '1 / (1 + exp(-x))',
  activation: () => ({ kind: 'sigmoid' }),
  onnx: { Sigmoid: (context) => context.add('sigmoid', {}, [context.input(0)]) },
});
