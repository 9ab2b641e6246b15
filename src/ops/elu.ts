import { activationOp } from './unary.js';

type EluAttrs = { readonly alpha: number };

export const elu = activationOp<EluAttrs>({
  name: 'elu',
  doc: 'x where x >= 0, else alpha * (e^x - 1)',
  activation: (attrs) => ({ kind: 'elu', ...attrs }),
  onnx: {
    Elu: (context) => context.add('elu', { alpha: Math.fround(context.attrs.float('alpha', 1)) }, [context.input(0)]),
  },
});
