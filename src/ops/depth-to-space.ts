import { type BlockOpAttrs, blockIndices, checkBlocks } from './blocks.js';
import type { OnnxImporter } from './import-context.js';
import { onReals } from './import-helpers.js';
import { importPixelShuffle } from './import-paddle-shape.js';
import { lowerBlocks } from './lowering/rearrange.js';
import { gatherElements } from './move.js';
import { defineOp } from './op.js';
import { reshaped, tensorAt, typeOf } from './shapes.js';

const importDepthToSpace: OnnxImporter = (context) => {
  const mode = context.attrs.string('mode', 'DCR');
  if (mode !== 'DCR' && mode !== 'CRD') return context.unsupported(`DepthToSpace with mode "${mode}"`);
  const attrs = { size: context.attrs.int('blocksize'), blockFirst: mode === 'DCR' };
  return onReals(context, (x) => context.add('depth_to_space', attrs, [x]));
};

function shapeOf({ size }: BlockOpAttrs, shape: readonly number[]): number[] {
  checkBlocks(size, shape, shape.slice(1, 2));
  const [n, c, h, w] = shape as [number, number, number, number];
  return [n, c / (size * size), h * size, w * size];
}

export const depthToSpace = defineOp<BlockOpAttrs>({
  name: 'depth_to_space',
  doc: 'x[N,C*b*b,H,W] to [N,C,H*b,W*b]: channels become blocks of pixels',
  inputs: [1, 1],
  quant: 'same-params',
  lower: lowerBlocks('space'),
  infer: (attrs, inputs) => [reshaped(typeOf(inputs, 0), shapeOf(attrs, typeOf(inputs, 0).shape))],
  reference(attrs, inputs) {
    const x = tensorAt(inputs, 0);
    const shape = shapeOf(attrs, x.type.shape);
    return [gatherElements(x, blockIndices(attrs, shape), shape)];
  },
  paddle: { pixel_shuffle: importPixelShuffle },
  onnx: { DepthToSpace: importDepthToSpace },
});
