import { type ConvAttrs, inferConv, integerConv, referenceConv } from './conv-shared.js';
import type { OnnxImporter } from './import-context.js';
import { asImage } from './import-image.js';
import { convolutionHalo, lowerConv2d } from './lowering/convolution.js';
import { defineOp } from './op.js';
import { show } from './shapes.js';
import { importWindow } from './window.js';

/** ONNX Conv over two dimensions, or over one as an image of height 1; `auto_pad` becomes explicit pads. */
const importConv: OnnxImporter = (context) => {
  const bias = context.optional(2);
  const [image, weights] = [asImage(context, context.input(0)), asImage(context, context.input(1))];
  const ksize = weights.value.type.shape.slice(2);
  const stated = image.pair(context.attrs.ints('kernel_shape', ksize), 1);
  if (show(stated) !== show(ksize))
    throw new Error(`kernel_shape ${show(stated)} on weights ${show(context.input(1).type.shape)}`);
  const attrs = { ...importWindow(context, image, ksize), groups: context.attrs.int('group', 1), activation: null };
  return image.restore(context.add('conv2d', attrs, [image.value, weights.value, ...(bias ? [bias] : [])]));
};

export const conv2d = defineOp<ConvAttrs>({
  name: 'conv2d',
  doc: 'x[N,C,H,W] * w[M,C/groups,kh,kw] + bias[M] + residual[N,M,OH,OW], then the activation; one rounding',
  inputs: [2, 4],
  quant: 'requantizes',
  halo: convolutionHalo,
  lower: lowerConv2d,
  infer: inferConv,
  reference: referenceConv,
  integer: integerConv,
  onnx: { Conv: importConv },
});
