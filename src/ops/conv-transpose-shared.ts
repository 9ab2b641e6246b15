import { allocate, type Tensor } from '../ir/tensor.js';
import { isCodes, type Quant, sizeOf, type TensorType, zeroPointAt } from '../ir/type.js';
import type { Activation } from '../quant/activation.js';
import type { ConvAttrs } from './conv-shared.js';

/** Attributes of conv2d_transpose: pads are [top, left, bottom, right] of the result; outputPads extend it. */
export type TransposeConvAttrs = {
  readonly strides: readonly number[];
  readonly pads: readonly number[];
  readonly dilations: readonly number[];
  readonly outputPads: readonly number[];
  readonly groups: number;
  readonly activation: Activation | null;
};

/** [Height, width] of the result for x [N, C, H, W] and w [C, M / groups, kh, kw]. Source: ONNX ConvTranspose. */
export const spatialOutput = (attrs: TransposeConvAttrs, x: readonly number[], w: readonly number[]): number[] =>
  [0, 1].map((d) => {
    const [stride, dilation, extra] = [attrs.strides[d], attrs.dilations[d], attrs.outputPads[d]] as number[];
    const reach = (dilation as number) * ((w[d + 2] as number) - 1) + 1;
    const pads = (attrs.pads[d] as number) + (attrs.pads[d + 2] as number);
    return (stride as number) * ((x[d + 2] as number) - 1) + (extra as number) + reach - pads;
  });

/**
 * A transposed convolution is an ordinary one with stride 1 over x with zeros between its elements: element i lies at
 * i * stride + before (outside of [0, size) it is dropped).
 */
export interface Stuffing {
  readonly shape: readonly [number, number, number, number];
  readonly before: readonly [number, number];
}

/** Where the elements of x lie among the zeros, borders included. */
export function stuffingOf(attrs: TransposeConvAttrs, x: readonly number[], w: readonly number[]): Stuffing {
  const reach = (d: number): number => (attrs.dilations[d] as number) * ((w[d + 2] as number) - 1);
  const [oh, ow] = spatialOutput(attrs, x, w) as [number, number];
  return {
    shape: [x[0] as number, x[1] as number, oh + reach(0), ow + reach(1)],
    before: [reach(0) - (attrs.pads[0] as number), reach(1) - (attrs.pads[1] as number)],
  };
}

/** The elements of a dimension of `size` that stay: [first, past the last). */
export function stayingRange(stride: number, before: number, size: number, stuffed: number): [number, number] {
  const first = Math.max(0, Math.ceil(-before / stride));
  return [first, Math.max(first, Math.min(size, Math.floor((stuffed - 1 - before) / stride) + 1))];
}

/** The attributes of the ordinary convolution. */
export const unitConv = ({ dilations, groups, activation }: TransposeConvAttrs): ConvAttrs => ({
  strides: [1, 1],
  pads: [0, 0, 0, 0],
  dilations,
  groups,
  activation: activation ?? null,
});

/** The type of the ordinary convolution's weights [M, C / groups, kh, kw]; a scale per column is one per filter. */
export function flippedType({ dtype, shape, quant }: TensorType, groups: number): TensorType {
  const [c, perGroup, kh, kw] = shape as [number, number, number, number];
  const flipped = [perGroup * groups, c / groups, kh, kw];
  if (!quant || quant.axis === null) return quant ? { dtype, shape: flipped, quant } : { dtype, shape: flipped };
  const repeat = (list: readonly number[]): number[] => Array.from({ length: groups }, () => list).flat();
  const grid: Quant = { ...quant, axis: 0, scales: repeat(quant.scales), zeroPoints: repeat(quant.zeroPoints) };
  return { dtype, shape: flipped, quant: grid };
}

/** The weights of the ordinary convolution: input and output channels exchanged within groups, taps reversed. */
export function flippedWeights(w: Tensor, groups: number): Tensor {
  const [c, perGroup, kh, kw] = w.type.shape as [number, number, number, number];
  const channels = c / groups;
  const data = allocate(w.type.dtype, w.data.length);
  let at = 0;
  for (let m = 0; m < perGroup * groups; m++)
    for (let i = 0; i < channels; i++) {
      const from = ((Math.floor(m / perGroup) * channels + i) * perGroup + (m % perGroup)) * kh * kw;
      for (let tap = kh * kw - 1; tap >= 0; tap--) data[at++] = w.data[from + tap] as never;
    }
  return { type: flippedType(w.type, groups), data };
}

/** The operands of the ordinary convolution; zeros are zero points where x holds codes. */
export function asStuffedConv(attrs: TransposeConvAttrs, x: Tensor, w: Tensor): { x: Tensor; w: Tensor } {
  const { shape, before } = stuffingOf(attrs, x.type.shape, w.type.shape);
  const data = allocate(x.type.dtype, sizeOf(shape));
  if (x.type.quant && isCodes(x.type)) data.fill(zeroPointAt(x.type.quant, 0) as never);
  const [h, width] = x.type.shape.slice(2) as [number, number];
  const [sy, sx] = attrs.strides as [number, number];
  const [y0, y1] = stayingRange(sy, before[0], h, shape[2]);
  const [x0, x1] = stayingRange(sx, before[1], width, shape[3]);
  for (let plane = 0; plane < shape[0] * shape[1]; plane++)
    for (let y = y0; y < y1; y++)
      for (let i = x0; i < x1; i++) {
        const to = (plane * shape[2] + y * sy + before[0]) * shape[3] + i * sx + before[1];
        data[to] = x.data[(plane * h + y) * width + i] as never;
      }
  return { x: { type: { ...x.type, shape }, data }, w: flippedWeights(w, attrs.groups) };
}
