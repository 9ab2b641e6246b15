import { activationOp } from './unary.js';

export const softplus = activationOp({
  name: 'softplus',
  doc: 'log(1 + e^x)',
  activation: () => ({ kind: 'softplus' }),
  onnx: {
    Softplus: (context) => context.add('softplus', {}, [context.input(0)]),
  },
});
