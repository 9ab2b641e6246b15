import type { OnnxImporter } from './import-context.js';
import { ofX } from './import-paddle.js';
import { quantizedOp } from './import-quantized.js';
import { activationOp } from './unary.js';

type LeakyReluAttrs = { readonly alpha: number };

const importLeakyRelu: OnnxImporter = (context) =>
  context.add('leaky_relu', { alpha: Math.fround(context.attrs.float('alpha', 0.01)) }, [context.input(0)]);

export const leakyRelu = activationOp<LeakyReluAttrs>({
  name: 'leaky_relu',
  doc: 'x where x >= 0, else alpha * x',
  activation: (attrs) => ({ kind: 'leaky_relu', ...attrs }),
  paddle: { leaky_relu: ofX('leaky_relu', ({ attrs }) => ({ alpha: attrs.float('alpha', Math.fround(0.02)) })) },
  onnx: { LeakyRelu: importLeakyRelu, 'com.microsoft:QLinearLeakyRelu': quantizedOp(1, importLeakyRelu) },
});
