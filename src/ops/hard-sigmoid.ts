import { ofX } from './import-paddle.js';
import { activationOp } from './unary.js';

type HardSigmoidAttrs = { readonly slope: number; readonly offset: number };

export const hardSigmoid = activationOp<HardSigmoidAttrs>({
  name: 'hard_sigmoid',
  doc: 'min(max(slope * x + offset, 0), 1)',
  activation: (attrs) => ({ kind: 'hard_sigmoid', ...attrs }),
  paddle: {
    hard_sigmoid: ofX('hard_sigmoid', ({ attrs }) => ({
      slope: attrs.float('slope', Math.fround(0.2)),
      offset: attrs.float('offset', 0.5),
    })),
  },
  onnx: {
    HardSigmoid(context) {
      const slope = Math.fround(context.attrs.float('alpha', 0.2));
      const offset = Math.fround(context.attrs.float('beta', 0.5));
      return context.add('hard_sigmoid', { slope, offset }, [context.input(0)]);
    },
  },
});
