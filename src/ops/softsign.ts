import { ofX } from './import-paddle.js';
import { activationOp } from './unary.js';

export const softsign = activationOp({
  name: 'softsign',
  doc: 'x / (1 + |x|)',
  activation: () => ({ kind: 'softsign' }),
  paddle: { softsign: ofX('softsign') },
  onnx: {
    Softsign: (context) => context.add('softsign', {}, [context.input(0)]),
  },
});
