import { activationOp } from './unary.js';

type LeakyReluAttrs = { readonly alpha: number };

export const leakyRelu = activationOp<LeakyReluAttrs>({
  name: 'leaky_relu',
  doc: 'x where x >= 0, else alpha * x',
  activation: (attrs) => ({ kind: 'leaky_relu', ...attrs }),
  onnx: {
    LeakyRelu: (context) =>
      context.add('leaky_relu', { alpha: Math.fround(context.attrs.float('alpha', 0.01)) }, [context.input(0)]),
  },
});
