import type { Value } from '../ir/graph.js';
import { type ConvAttrs, convMacs, inferConv, integerConv, referenceConv } from './conv-shared.js';
import type { OnnxImporter } from './import-context.js';
import { asImage } from './import-image.js';
import { integerProductOp } from './import-integer.js';
import { importConv2d } from './import-paddle-conv.js';
import { operatorForm, withInputs } from './import-quantized.js';
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
  const window = { ...importWindow(context, image, ksize), groups: context.attrs.int('group', 1) };
  if (image.rank > 2) {
    const operands = [image.value, weights.value, ...(bias ? [bias] : [])];
    return context.add('conv3d', { ...window, transposed: false, outputPads: [] }, operands);
  }
  const attrs = { ...window, activation: null };
  return image.restore(context.add('conv2d', attrs, [image.value, weights.value, ...(bias ? [bias] : [])]));
};

/** ONNX QLinearConv: weights per tensor or per filter, an int32 bias on the grid of the sums. */
const importQLinearConv = operatorForm(
  {
    operands: [
      { codes: 0, scale: 1, zero: 2, axis: 1 },
      { codes: 3, scale: 4, zero: 5, axis: 0 },
    ],
    bias: { slot: 8 },
    result: { scale: 6, zero: 7 },
  },
  importConv,
);

/** onnxruntime's FusedConv: a convolution, input 3 added to it, and an activation. */
const importFusedConv: OnnxImporter = (context) => {
  const [bias, z] = [context.optional(2), context.optional(3)];
  const operands = [context.input(0), context.input(1), ...(bias ? [bias] : [])];
  const conv = importConv(withInputs(context, operands)) as Value;
  const sum = z ? context.add('elementwise_add', { activation: null }, [conv, z]) : conv;
  const name = context.attrs.string('activation', '');
  const [a = 0, b = 0] = context.attrs.floats('activation_params', []).map(Math.fround);
  switch (name) {
    case '':
      return sum;
    case 'Relu':
    case 'Sigmoid':
    case 'Tanh':
      return context.add(name.toLowerCase(), {}, [sum]);
    case 'LeakyRelu':
      return context.add('leaky_relu', { alpha: a }, [sum]);
    case 'Clip':
      return context.add('clip', { min: a, max: b }, [sum]);
    case 'HardSigmoid':
      return context.add('hard_sigmoid', { slope: a, offset: b }, [sum]);
    default:
      return context.unsupported(`FusedConv with the activation ${JSON.stringify(name)}`);
  }
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
  macs: convMacs,
  integer: integerConv,
  paddle: {
    conv2d: importConv2d,
    depthwise_conv2d: importConv2d,
    conv2d_fusion: importConv2d,
    fused_conv2d: importConv2d,
  },
  onnx: {
    Conv: importConv,
    ConvInteger: integerProductOp(0, importConv),
    QLinearConv: importQLinearConv,
    'com.microsoft:FusedConv': importFusedConv,
  },
});
