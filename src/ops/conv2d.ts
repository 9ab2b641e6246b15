import { type ConvAttrs, inferConv, integerConv, referenceConv } from './conv-shared.js';
import type { OnnxImporter } from './import-context.js';
import { convolutionHalo, lowerConv2d } from './lowering/convolution.js';
import { defineOp } from './op.js';
import { show } from './shapes.js';
import { importWindow } from './window.js';

/** ONNX Conv; `auto_pad` becomes explicit pads. */
const importConv: OnnxImporter = (context) => {
  const [x, w, bias] = [context.input(0), context.input(1), context.optional(2)];
  const ksize = w.type.shape.slice(2);
  const stated = context.attrs.ints('kernel_shape', ksize);
  if (show(stated) !== show(ksize)) throw new Error(`kernel_shape ${show(stated)} on weights ${show(w.type.shape)}`);
  const attrs = {
    ...importWindow(context, x.type.shape, ksize),
    groups: context.attrs.int('group', 1),
    activation: null,
  };
  return context.add('conv2d', attrs, bias ? [x, w, bias] : [x, w]);
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
