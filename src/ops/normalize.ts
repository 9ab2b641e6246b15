import { rowMajorStrides } from '../ir/tensor.js';
import { stridedIndices } from './broadcast.js';
import {
  importGroupNorm,
  importInstanceNorm,
  importLayerNorm,
  importLpNorm,
  importMeanVarianceNorm,
  importRmsNorm,
} from './import-normalize.js';
import * as norms from './import-paddle-normalize.js';
import { lowerNormalize } from './lowering/reduction.js';
import { defineOp } from './op.js';
import { normalizeAxes, realTypeOf, tensorAt } from './shapes.js';

/** `axes` are sorted and not negative. */
type NormalizeAttrs = { readonly axes: readonly number[]; readonly epsilon: number };

export const normalize = defineOp<NormalizeAttrs>({
  name: 'normalize',
  doc: '(x - mean) / sqrt(variance + epsilon) over axes; scale and bias of layer, instance and group norms are ops behind it',
  inputs: [1, 1],
  quant: 'float-only',
  lower: lowerNormalize,
  infer(attrs, inputs) {
    const { shape } = realTypeOf(inputs, 0);
    normalizeAxes(attrs.axes, shape.length);
    return [{ dtype: 'f32', shape }];
  },
  reference(attrs, inputs) {
    const { type, data: x } = tensorAt(inputs, 0);
    const strides = rowMajorStrides(type.shape);
    const pick = (list: readonly number[], inside: boolean): number[] =>
      list.filter((_, d) => attrs.axes.includes(d) === inside);
    const offsets = stridedIndices(pick(type.shape, true), pick(strides, true));
    const data = new Float32Array(x.length);
    for (const start of stridedIndices(pick(type.shape, false), pick(strides, false))) {
      const at = (offset: number): number => x[start + offset] as number;
      const mean = offsets.reduce((s, o) => s + at(o), 0) / offsets.length;
      const variance = offsets.reduce((s, o) => s + (at(o) - mean) ** 2, 0) / offsets.length;
      for (const o of offsets) data[start + o] = (at(o) - mean) / Math.sqrt(variance + attrs.epsilon);
    }
    return [{ type: { dtype: 'f32', shape: type.shape }, data }];
  },
  paddle: {
    layer_norm: norms.importLayerNorm,
    instance_norm: norms.importInstanceNorm,
    group_norm: norms.importGroupNorm,
    norm: norms.importL2Norm,
    p_norm: norms.importPNorm,
  },
  onnx: {
    LayerNormalization: importLayerNorm,
    RMSNormalization: importRmsNorm,
    InstanceNormalization: importInstanceNorm,
    GroupNormalization: importGroupNorm,
    MeanVarianceNormalization: importMeanVarianceNorm,
    LpNormalization: importLpNorm,
  },
});
