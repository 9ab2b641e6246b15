import type { Value } from '../ir/graph.js';
import { sizeOf } from '../ir/type.js';
import type { PaddleContext, PaddleImporter } from './import-context.js';
import { binary, fusedActivation, inNchw, isChannelsLast, reshape, windowOf } from './import-paddle.js';
import { productOfCodes } from './import-paddle-fake.js';
import { show } from './shapes.js';

/** The residual operand, bias and activation that fused convolutions have. */
function finish(context: PaddleContext, conv: Value): Value {
  const { attrs } = context;
  const residual = context.optional('ResidualData');
  if (residual && isChannelsLast(context)) context.unsupported('ResidualData with channels last');
  const sum = residual ? binary(context, 'elementwise_add', conv, residual) : conv;
  if (attrs.bool('fuse_brelu', false))
    return context.add('clip', { min: 0, max: attrs.float('fuse_brelu_threshold', 6) }, [sum]);
  const name = attrs.string('fuse_activation', attrs.string('activation', ''));
  return fusedActivation(context, sum, name === '' && attrs.bool('fuse_relu', false) ? 'relu' : name);
}

/** A bias of one number per channel, whatever its shape. */
function bias(context: PaddleContext): Value[] {
  const b = context.optional('Bias');
  return b ? [reshape(context, b, [sizeOf(b.type.shape)])] : [];
}

/** Paddle conv2d: filters [O, C / groups, kh, kw], also with channels last. */
export const importConv2d: PaddleImporter = (context) =>
  inNchw(context, context.input('Input'), (x) => {
    const w = context.input('Filter');
    if (w.type.shape.length !== 4) throw new Error(`filters of shape ${show(w.type.shape)}`);
    const window = windowOf(context, x.type.shape.slice(2), w.type.shape.slice(2));
    const attrs = { ...window, groups: context.attrs.int('groups', 1), activation: null };
    const apply = (a: Value, b: Value): Value => context.add('conv2d', attrs, [a, b, ...bias(context)]);
    return finish(
      context,
      productOfCodes(context, x, w, () => 1, apply),
    );
  });

/**
 * Paddle conv2d_transpose: filters [I, O / groups, kh, kw];
 * out = (in - 1) * stride - pads + dilation * (k - 1) + 1 + output_padding, or output_size where it is given.
 */
export const importConv2dTranspose: PaddleImporter = (context) =>
  inNchw(context, context.input('Input'), (x) => {
    const { attrs } = context;
    const w = context.input('Filter');
    const ksize = w.type.shape.slice(2);
    const plane = x.type.shape.slice(2);
    const { strides, dilations, pads } = transposeWindow(context, plane, ksize);
    const stated = attrs.ints('output_size', []);
    const wanted = context.numbers('OutputSize') ?? context.numbers('OutputSizeTensor') ?? stated;
    const outputPads = attrs.ints('output_padding', []);
    const least = plane.map((n, d) => {
      const reach = (dilations[d] as number) * ((ksize[d] as number) - 1) + 1;
      return (n - 1) * (strides[d] as number) - (pads[d] as number) - (pads[d + 2] as number) + reach;
    });
    const extra =
      wanted.length === 2 ? wanted.map((n, d) => n - (least[d] as number)) : [0, 1].map((d) => outputPads[d] ?? 0);
    if (extra.some((n, d) => n < 0 || n >= Math.max(strides[d] as number, dilations[d] as number)))
      throw new Error(`output_size ${show(wanted)} for an output of ${show(least)}`);
    const geometry = { strides, pads, dilations, outputPads: extra, groups: attrs.int('groups', 1), activation: null };
    return finish(context, context.add('conv2d_transpose', geometry, [x, w, ...bias(context)]));
  });

/** SAME of a transposed convolution pads so that the output has stride times the size (conv_transpose_op.h). */
function transposeWindow(context: PaddleContext, plane: readonly number[], ksize: readonly number[]) {
  const window = windowOf(context, plane, ksize);
  if (
    context.attrs.string('padding_algorithm', 'EXPLICIT') === 'SAME' &&
    ksize.some((k, d) => k < (window.strides[d] ?? 1))
  )
    context.unsupported('a transposed convolution with SAME pads and a kernel smaller than its stride');
  return window;
}
