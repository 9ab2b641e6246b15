import { ofX } from './import-paddle.js';
import { activationOp } from './unary.js';

type SeluAttrs = { readonly alpha: number; readonly scale: number };

export const selu = activationOp<SeluAttrs>({
  name: 'selu',
  doc: 'scale * (x where x >= 0, else alpha * (e^x - 1))',
  activation: (attrs) => ({ kind: 'selu', ...attrs }),
  paddle: {
    selu: ofX('selu', ({ attrs }) => ({
      alpha: attrs.float('alpha', Math.fround(1.6732632)),
      scale: attrs.float('scale', Math.fround(1.050701)),
    })),
  },
  onnx: {
    Selu(context) {
      const alpha = Math.fround(context.attrs.float('alpha', 1.6732632));
      const scale = Math.fround(context.attrs.float('gamma', 1.050701));
      return context.add('selu', { alpha, scale }, [context.input(0)]);
    },
  },
});
