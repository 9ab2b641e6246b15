import { ofX } from './import-paddle.js';
import { activationOp } from './unary.js';

type CeluAttrs = { readonly alpha: number };

export const celu = activationOp<CeluAttrs>({
  name: 'celu',
  doc: 'max(x, 0) + min(0, alpha * (e^(x / alpha) - 1))',
  activation: (attrs) => ({ kind: 'celu', ...attrs }),
  paddle: { celu: ofX('celu', ({ attrs }) => ({ alpha: attrs.float('alpha', 1) })) },
  onnx: {
    Celu: (context) => context.add('celu', { alpha: Math.fround(context.attrs.float('alpha', 1)) }, [context.input(0)]),
  },
});
