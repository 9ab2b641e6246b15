import type { ImportContext, OnnxImporter } from './import-context.js';
import { asImage } from './import-image.js';
import { show } from './shapes.js';

/** Pads from `output_shape` or `auto_pad`. Source: ONNX ConvTranspose. */
function automaticPads(context: ImportContext, full: readonly number[], wanted: readonly number[]): number[] {
  const total = full.map((n, d) => n - (wanted[d] as number));
  const upper = context.attrs.string('auto_pad', 'NOTSET') === 'SAME_UPPER';
  const small = total.map((p) => Math.floor(p / 2));
  const large = total.map((p, d) => p - (small[d] as number));
  return upper ? [...small, ...large] : [...large, ...small];
}

/** ONNX ConvTranspose over two dimensions, or over one as an image of height 1. */
export const importConvTranspose: OnnxImporter = (context) => {
  const { attrs } = context;
  const image = asImage(context, context.input(0));
  const weights = asImage(context, context.input(1));
  const ksize = weights.value.type.shape.slice(2);
  const size = image.value.type.shape.slice(2);
  const list = (name: string, fallback: number): number[] =>
    image.pair(
      attrs.ints(
        name,
        size.map(() => fallback),
      ),
      fallback,
    );
  const [strides, dilations] = [list('strides', 1), list('dilations', 1)];
  const outputPads = list('output_padding', 0);
  if (outputPads.some((p) => p < 0)) throw new Error(`output_padding ${show(outputPads)}`);
  const full = size.map((n, d) => {
    const reach = (dilations[d] as number) * ((ksize[d] as number) - 1) + 1;
    return (strides[d] as number) * (n - 1) + (outputPads[d] as number) + reach;
  });
  const auto = attrs.string('auto_pad', 'NOTSET');
  const same = auto === 'SAME_UPPER' || auto === 'SAME_LOWER';
  const wanted = attrs.has('output_shape') ? image.pair(attrs.ints('output_shape').slice(-image.rank), 1) : null;
  const target = wanted ?? (same ? size.map((n, d) => n * (strides[d] as number)) : null);
  const pads = target
    ? automaticPads(context, full, target)
    : image.pads(
        attrs.ints(
          'pads',
          [...size, ...size].map(() => 0),
        ),
      );
  if (auto === 'VALID' && !wanted) pads.fill(0);
  const bias = context.optional(2);
  const window = { strides, pads, dilations, outputPads, groups: attrs.int('group', 1) };
  const operands = [image.value, weights.value, ...(bias ? [bias] : [])];
  if (image.rank > 2) return context.add('conv3d', { ...window, transposed: true }, operands);
  return image.restore(context.add('conv2d_transpose', { ...window, activation: null }, operands));
};
