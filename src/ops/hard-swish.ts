import { ofX } from './import-paddle.js';
import { activationOp } from './unary.js';

type HardSwishAttrs = { readonly threshold: number; readonly scale: number; readonly offset: number };

export const hardSwish = activationOp<HardSwishAttrs>({
  name: 'hard_swish',
  doc: 'x * min(max(x + offset, 0), threshold) / scale',
  activation: (attrs) => ({ kind: 'hard_swish', ...attrs }),
  paddle: {
    hard_swish: ofX('hard_swish', ({ attrs }) => ({
      threshold: attrs.float('threshold', 6),
      scale: attrs.float('scale', 6),
      offset: attrs.float('offset', 3),
    })),
  },
  onnx: {
    HardSwish: (context) => context.add('hard_swish', { threshold: 6, scale: 6, offset: 3 }, [context.input(0)]),
  },
});
