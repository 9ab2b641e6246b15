import { type ConvAttrs, convMacs, inferConv, integerConv, referenceConv } from './conv-shared.js';
import { convolutionHalo, lowerDepthwise } from './lowering/convolution.js';
import { defineOp } from './op.js';
import { typeOf } from './shapes.js';

export const depthwiseConv2d = defineOp<ConvAttrs>({
  name: 'depthwise_conv2d',
  doc: 'conv2d with one group per input channel: w[C*multiplier,1,kh,kw]',
  inputs: [2, 4],
  quant: 'requantizes',
  halo: convolutionHalo,
  lower: lowerDepthwise,
  infer(attrs, inputs) {
    const channels = typeOf(inputs, 0).shape[1];
    if (attrs.groups !== channels) throw new Error(`${attrs.groups} groups on ${channels} channels`);
    return inferConv(attrs, inputs);
  },
  reference: referenceConv,
  macs: convMacs,
  integer: integerConv,
});
