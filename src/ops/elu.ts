import { ofX } from './import-paddle.js';
import { activationOp } from './unary.js';

type EluAttrs = { readonly alpha: number };

export const elu = activationOp<EluAttrs>({
  name: 'elu',
  doc: 'x where x >= 0, else alpha * (e^x - 1)',
  activation: (attrs) => ({ kind: 'elu', ...attrs }),
  paddle: { elu: ofX('elu', ({ attrs }) => ({ alpha: attrs.float('alpha', 1) })) },
  onnx: {
    Elu: (context) => context.add('elu', { alpha: Math.fround(context.attrs.float('alpha', 1)) }, [context.input(0)]),
  },
});
