import { ofX } from './import-paddle.js';
import { activationOp } from './unary.js';

type ThresholdedReluAttrs = { readonly threshold: number };

export const thresholdedRelu = activationOp<ThresholdedReluAttrs>({
  name: 'thresholded_relu',
  doc: 'x where x > threshold, else 0',
  activation: (attrs) => ({ kind: 'thresholded_relu', ...attrs }),
  paddle: { thresholded_relu: ofX('thresholded_relu', ({ attrs }) => ({ threshold: attrs.float('threshold', 1) })) },
  onnx: {
    ThresholdedRelu: (context) =>
      context.add('thresholded_relu', { threshold: Math.fround(context.attrs.float('alpha', 1)) }, [context.input(0)]),
  },
});
