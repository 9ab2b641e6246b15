import { rowMajorStrides } from '../ir/tensor.js';
import { stridedIndices } from './broadcast.js';
import type { BlockAttrs } from './lowering/rearrange.js';

/** Attributes of depth_to_space and space_to_depth. */
export type BlockOpAttrs = { readonly size: number; readonly blockFirst: boolean };

/** For every element of the wide tensor [N, C, H * b, W * b], the element of the deep one [N, C * b * b, H, W]. */
export function blockIndices({ size: b, blockFirst }: BlockAttrs, wide: readonly number[]): Int32Array {
  const [n, c, h, w] = wide as [number, number, number, number];
  const [sn, sc, sh, sw] = rowMajorStrides([n, c * b * b, h / b, w / b]) as [number, number, number, number];
  const [block, channel] = blockFirst ? [c * sc, sc] : [sc, b * b * sc];
  return stridedIndices([n, c, h / b, b, w / b, b], [sn, channel, sh, b * block, sw, block]);
}

/** Throws unless a block size divides what it has to. */
export function checkBlocks(size: number, shape: readonly number[], divided: readonly number[]): void {
  if (shape.length !== 4) throw new Error(`blocks of a tensor of rank ${shape.length}: rank 4 expected`);
  if (!Number.isInteger(size) || size < 1 || divided.some((d) => d % (divided.length === 1 ? size * size : size) !== 0))
    throw new Error(`[${shape}] has no blocks of size ${size}`);
}
