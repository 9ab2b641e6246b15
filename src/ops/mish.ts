import { ofX } from './import-paddle.js';
import { activationOp } from './unary.js';

export const mish = activationOp({
  name: 'mish',
  doc: 'x * tanh(log(1 + e^x))',
  activation: () => ({ kind: 'mish' }),
  paddle: { mish: ofX('mish') },
  onnx: {
    Mish: (context) => context.add('mish', {}, [context.input(0)]),
  },
});
