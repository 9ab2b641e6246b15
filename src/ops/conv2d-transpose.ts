import type { InferInput } from '../ir/op.js';
import type { Tensor } from '../ir/tensor.js';
import { sizeOf, type TensorType } from '../ir/type.js';
import { integerConv, referenceConv } from './conv-shared.js';
import { asStuffedConv, spatialOutput, type TransposeConvAttrs, unitConv } from './conv-transpose-shared.js';
import { importConvTranspose } from './import-conv-transpose.js';
import { importConv2dTranspose } from './import-paddle-conv.js';
import { lowerConvTranspose } from './lowering/convolution-transpose.js';
import { phasesHalo } from './lowering/transpose-phases.js';
import { defineOp } from './op.js';
import { realTypeOf, show, tensorAt } from './shapes.js';

function infer(attrs: TransposeConvAttrs, inputs: readonly (InferInput | null)[]): TensorType[] {
  const [x, w] = [realTypeOf(inputs, 0).shape, realTypeOf(inputs, 1).shape];
  if (x.length !== 4 || w.length !== 4) throw new Error(`convolution of ${show(x)} with ${show(w)}: rank 4 expected`);
  const [c, m] = [w[0] as number, (w[1] as number) * attrs.groups];
  if (attrs.groups < 1 || x[1] !== c || c % attrs.groups !== 0)
    throw new Error(`weights ${show(w)} do not fit ${x[1]} channels in ${attrs.groups} groups`);
  const size = spatialOutput(attrs, x, w);
  if (size.some((n) => n < 1)) throw new Error(`a result of size ${show(size)}`);
  const bias = inputs[2]?.type.shape;
  if (bias && (bias.length !== 1 || bias[0] !== m)) throw new Error(`bias ${show(bias)} for ${m} channels`);
  return [{ dtype: 'f32', shape: [x[0] as number, m, ...size] }];
}

/** The operands of the ordinary convolution that gives the same sums. */
function operands(attrs: TransposeConvAttrs, inputs: readonly (Tensor | null)[]): (Tensor | null)[] {
  const { x, w } = asStuffedConv(attrs, tensorAt(inputs, 0), tensorAt(inputs, 1));
  return [x, w, ...inputs.slice(2)];
}

export const conv2dTranspose = defineOp<TransposeConvAttrs>({
  name: 'conv2d_transpose',
  doc: 'the transposed convolution of x[N,C,H,W] with w[C,M/groups,kh,kw] + bias[M], then the activation; one rounding',
  inputs: [2, 3],
  quant: 'requantizes',
  lower: lowerConvTranspose,
  halo: phasesHalo,
  infer,
  reference: (attrs, inputs) => referenceConv(unitConv(attrs), operands(attrs, inputs)),
  integer: (attrs, inputs, output) => integerConv(unitConv(attrs), operands(attrs, inputs), output),
  /** Every input element meets all taps of its group's filters. */
  macs: (_, inputs) => sizeOf((inputs[0] as TensorType).shape) * sizeOf((inputs[1] as TensorType).shape.slice(1)),
  paddle: { conv2d_transpose: importConv2dTranspose, depthwise_conv2d_transpose: importConv2dTranspose },
  onnx: { ConvTranspose: importConvTranspose },
});
