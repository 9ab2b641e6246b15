import { activationOp } from './unary.js';

export const softsign = activationOp({
  name: 'softsign',
  doc: 'x / (1 + |x|)',
  activation: () => ({ kind: 'softsign' }),
  onnx: {
    Softsign: (context) => context.add('softsign', {}, [context.input(0)]),
  },
});
