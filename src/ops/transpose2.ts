import { rowMajorStrides } from '../ir/tensor.js';
import { stridedIndices } from './broadcast.js';
import type { OnnxImporter } from './import-context.js';
import { onReals } from './import-helpers.js';
import { importTranspose as importPaddleTranspose, importShuffleChannel } from './import-paddle-shape.js';
import { lowerTranspose } from './lowering/movement.js';
import { gatherElements } from './move.js';
import { defineOp } from './op.js';
import { normalizeAxes, reshaped, show, tensorAt, typeOf } from './shapes.js';

/** Dimension i of the result is dimension perm[i] of the input. */
type TransposeAttrs = { readonly perm: readonly number[] };

const permute = (perm: readonly number[], list: readonly number[]): number[] => perm.map((p) => list[p] as number);

const importTranspose: OnnxImporter = (context) =>
  onReals(context, (x) => {
    const reversed = x.type.shape.map((_, i, shape) => shape.length - 1 - i);
    return context.add('transpose2', { perm: context.attrs.ints('perm', reversed) }, [x]);
  });

export const transpose2 = defineOp<TransposeAttrs>({
  name: 'transpose2',
  doc: 'permutes dimensions: dimension i of the result is dimension perm[i] of x',
  inputs: [1, 1],
  quant: 'same-params',
  lower: lowerTranspose,
  infer(attrs, inputs) {
    const type = typeOf(inputs, 0);
    const { perm } = attrs;
    if (perm.length !== type.shape.length || normalizeAxes(perm, perm.length).some((p) => !perm.includes(p)))
      throw new Error(`${show(perm)} does not permute ${show(type.shape)}`);
    return [reshaped(type, permute(perm, type.shape))];
  },
  reference(attrs, inputs) {
    const x = tensorAt(inputs, 0);
    const shape = permute(attrs.perm, x.type.shape);
    const strides = permute(attrs.perm, rowMajorStrides(x.type.shape));
    return [gatherElements(x, stridedIndices(shape, strides), shape)];
  },
  paddle: {
    transpose: importPaddleTranspose,
    transpose2: importPaddleTranspose,
    shuffle_channel: importShuffleChannel,
  },
  onnx: { Transpose: importTranspose },
});
