import { type LowerContext, NO_HALO, type View } from '../../codegen/lowering.js';
import { applyMap } from './movement.js';

/** A view with other dimensions: [extent, stride] each. */
const dimensions = (view: View, dims: readonly (readonly [number, number])[]): View => ({
  ...view,
  shape: dims.map(([n]) => n),
  strides: dims.map(([, stride]) => stride),
  halo: NO_HALO,
});

/** tile: the repetitions are dimensions of their own, along which x is read again. */
export function lowerTile(context: LowerContext, attrs: { readonly repeats: readonly number[] }): void {
  const [x, out] = [context.input(0), context.output()];
  const pairs = x.shape.map((n, d) => {
    const [from, to] = [x.strides[d] as number, out.strides[d] as number];
    const repeats = attrs.repeats[d] as number;
    return {
      source: [[repeats, 0] as const, [n, from] as const],
      target: [[repeats, n * to] as const, [n, to] as const],
    };
  });
  const source = dimensions(
    x,
    pairs.flatMap((p) => p.source),
  );
  applyMap(
    context,
    { kind: 'copy' },
    source,
    dimensions(
      out,
      pairs.flatMap((p) => p.target),
    ),
  );
}

/** How depth_to_space and space_to_depth number the channels of a block. */
export interface BlockAttrs {
  readonly size: number;
  /** The place in the block varies slower than the channel (DCR), instead of faster (CRD). */
  readonly blockFirst: boolean;
}

/** The deep tensor [N, C * b * b, H, W] of a block op as [N, b, b, C, H, W]. */
function deepView(v: View, { size: b, blockFirst }: BlockAttrs): View {
  const [n, deep, h, w] = v.shape as [number, number, number, number];
  const [sn, sc, sh, sw] = v.strides as [number, number, number, number];
  const c = deep / (b * b);
  const [block, channel] = blockFirst ? [c * sc, sc] : [sc, b * b * sc];
  return dimensions(v, [
    [n, sn],
    [b, b * block],
    [b, block],
    [c, channel],
    [h, sh],
    [w, sw],
  ]);
}

/** The wide tensor [N, C, H * b, W * b] of a block op as [N, b, b, C, H, W]. */
function wideView(v: View, { size: b }: BlockAttrs): View {
  const [n, c, h, w] = v.shape as [number, number, number, number];
  const [sn, sc, sh, sw] = v.strides as [number, number, number, number];
  return dimensions(v, [
    [n, sn],
    [b, sh],
    [b, sw],
    [c, sc],
    [h / b, b * sh],
    [w / b, b * sw],
  ]);
}

/** depth_to_space and space_to_depth: one strided copy. */
export const lowerBlocks =
  (to: 'space' | 'depth') =>
  (context: LowerContext, attrs: BlockAttrs): void => {
    const [x, out] = [context.input(0), context.output()];
    const [source, target] =
      to === 'space' ? [deepView(x, attrs), wideView(out, attrs)] : [wideView(x, attrs), deepView(out, attrs)];
    applyMap(context, { kind: 'copy' }, source, target);
  };
