import { type GeneralConvAttrs, generalConvMacs, inferGeneralConv, referenceGeneralConv } from './conv-general.js';
import { lowerGeneralConv } from './lowering/contraction.js';
import { defineOp } from './op.js';

export const conv3d = defineOp<GeneralConvAttrs>({
  name: 'conv3d',
  doc: 'convolution over three or more spatial dimensions, also transposed: x[N,C,...], w, bias[M]',
  inputs: [2, 3],
  quant: 'float-only',
  lower: lowerGeneralConv,
  infer: inferGeneralConv,
  reference: referenceGeneralConv,
  macs: generalConvMacs,
});
