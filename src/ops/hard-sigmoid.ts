import { activationOp } from './unary.js';

type HardSigmoidAttrs = { readonly slope: number; readonly offset: number };

export const hardSigmoid = activationOp<HardSigmoidAttrs>({
  name: 'hard_sigmoid',
  doc: 'min(max(slope * x + offset, 0), 1)',
  activation: (attrs) => ({ kind: 'hard_sigmoid', ...attrs }),
  onnx: {
    HardSigmoid(context) {
      const slope = Math.fround(context.attrs.float('alpha', 0.2));
      const offset = Math.fround(context.attrs.float('beta', 0.5));
      return context.add('hard_sigmoid', { slope, offset }, [context.input(0)]);
    },
  },
});
