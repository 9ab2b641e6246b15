import { broadcastShape, broadcastStrides, stridedIndices } from './broadcast.js';
import type { OnnxImporter } from './import-context.js';
import { onReals } from './import-helpers.js';
import { importExpandAs, importExpandV2 } from './import-paddle-shape.js';
import { lowerExpand } from './lowering/movement.js';
import { gatherElements } from './move.js';
import { defineOp } from './op.js';
import { reshaped, tensorAt, typeOf } from './shapes.js';

/** `shape` is the shape of the result, resolved. */
type ExpandAttrs = { readonly shape: readonly number[] };

const importExpand: OnnxImporter = (context) => {
  const wanted = context.isComputed(1) ? context.statedShape(0, 1) : (context.numbers(1) ?? []);
  return onReals(context, (x) => context.add('expand', { shape: broadcastShape(x.type.shape, wanted) }, [x]));
};

export const expand = defineOp<ExpandAttrs>({
  name: 'expand',
  doc: 'repeats x along dimensions of extent 1, as broadcasting does',
  inputs: [1, 1],
  quant: 'same-params',
  lower: lowerExpand,
  infer(attrs, inputs) {
    const type = typeOf(inputs, 0);
    return [reshaped(type, broadcastShape(type.shape, attrs.shape))];
  },
  reference(attrs, inputs) {
    const x = tensorAt(inputs, 0);
    const indices = stridedIndices(attrs.shape, broadcastStrides(x.type.shape, attrs.shape));
    return [gatherElements(x, indices, attrs.shape)];
  },
  paddle: { expand_v2: importExpandV2, expand_as: importExpandAs, expand_as_v2: importExpandAs },
  onnx: { Expand: importExpand },
});
