import { activationOp } from './unary.js';

type ThresholdedReluAttrs = { readonly threshold: number };

export const thresholdedRelu = activationOp<ThresholdedReluAttrs>({
  name: 'thresholded_relu',
  doc: 'x where x > threshold, else 0',
  activation: (attrs) => ({ kind: 'thresholded_relu', ...attrs }),
  onnx: {
    ThresholdedRelu: (context) =>
      context.add('thresholded_relu', { threshold: Math.fround(context.attrs.float('alpha', 1)) }, [context.input(0)]),
  },
});
