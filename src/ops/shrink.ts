import { ofX } from './import-paddle.js';
import { activationOp } from './unary.js';

type ShrinkAttrs = { readonly lambd: number; readonly bias: number };

export const shrink = activationOp<ShrinkAttrs>({
  name: 'shrink',
  doc: 'x + bias below -lambd, x - bias above lambd, else 0',
  activation: (attrs) => ({ kind: 'shrink', ...attrs }),
  paddle: {
    hard_shrink: ofX('shrink', ({ attrs }) => ({ lambd: attrs.float('threshold', 0.5), bias: 0 })),
    softshrink: ofX('shrink', ({ attrs }) => ({ lambd: attrs.float('lambda', 0.5), bias: attrs.float('lambda', 0.5) })),
  },
  onnx: {
    Shrink(context) {
      const lambd = Math.fround(context.attrs.float('lambd', 0.5));
      const bias = Math.fround(context.attrs.float('bias', 0));
      return context.add('shrink', { lambd, bias }, [context.input(0)]);
    },
  },
});
