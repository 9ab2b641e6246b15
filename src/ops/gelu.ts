import { activationOp } from './unary.js';

export const gelu = activationOp({
  name: 'gelu',
  doc: 'x * (1 + erf(x / sqrt(2))) / 2',
  activation: () => ({ kind: 'gelu' }),
  paddle: {
    gelu: (context) =>
      context.add(context.attrs.bool('approximate', false) ? 'gelu_tanh' : 'gelu', {}, [context.input('X')]),
  },
  onnx: {
    Gelu(context) {
      const approximate = context.attrs.string('approximate', 'none');
      if (approximate !== 'none' && approximate !== 'tanh')
        context.unsupported(`Gelu with approximate "${approximate}"`);
      return context.add(approximate === 'tanh' ? 'gelu_tanh' : 'gelu', {}, [context.input(0)]);
    },
  },
});
