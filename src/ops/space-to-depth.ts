import { type BlockOpAttrs, blockIndices, checkBlocks } from './blocks.js';
import type { OnnxImporter } from './import-context.js';
import { onReals } from './import-helpers.js';
import { lowerBlocks } from './lowering/rearrange.js';
import { gatherElements } from './move.js';
import { defineOp } from './op.js';
import { reshaped, tensorAt, typeOf } from './shapes.js';

const importSpaceToDepth: OnnxImporter = (context) => {
  const attrs = { size: context.attrs.int('blocksize'), blockFirst: true };
  return onReals(context, (x) => context.add('space_to_depth', attrs, [x]));
};

function shapeOf({ size }: BlockOpAttrs, shape: readonly number[]): number[] {
  checkBlocks(size, shape, shape.slice(2));
  const [n, c, h, w] = shape as [number, number, number, number];
  return [n, c * size * size, h / size, w / size];
}

export const spaceToDepth = defineOp<BlockOpAttrs>({
  name: 'space_to_depth',
  doc: 'x[N,C,H*b,W*b] to [N,C*b*b,H,W]: blocks of pixels become channels',
  inputs: [1, 1],
  quant: 'same-params',
  lower: lowerBlocks('depth'),
  infer: (attrs, inputs) => [reshaped(typeOf(inputs, 0), shapeOf(attrs, typeOf(inputs, 0).shape))],
  reference(attrs, inputs) {
    const x = tensorAt(inputs, 0);
    const deep = shapeOf(attrs, x.type.shape);
    // the inverse of the numbering of depth_to_space
    const from = blockIndices(attrs, x.type.shape);
    const inverse = new Int32Array(from.length);
    from.forEach((d, i) => {
      inverse[d] = i;
    });
    return [gatherElements(x, inverse, deep)];
  },
  onnx: { SpaceToDepth: importSpaceToDepth },
});
