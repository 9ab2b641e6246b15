import type { InferInput } from '../ir/op.js';
import type { Tensor } from '../ir/tensor.js';
import { isCodes, type Quant, sizeOf, type TensorType } from '../ir/type.js';
import type { Activation } from '../quant/activation.js';
import { toReal } from '../quant/tensors.js';
import { centredCodes, isPerTensorCodes } from './codes.js';
import { type Epilogue, finishReals, finishSums } from './epilogue.js';
import { asInputs, realTypeOf, show, tensorAt } from './shapes.js';
import { checkWindow, validRange, type Window2d, windowOutput } from './window.js';

/** Attributes of conv2d and depthwise_conv2d: pads are [top, left, bottom, right]. */
export type ConvAttrs = {
  readonly strides: readonly number[];
  readonly pads: readonly number[];
  readonly dilations: readonly number[];
  readonly groups: number;
  readonly activation: Activation | null;
};

type Inputs = readonly (Tensor | null)[];

const windowOf = (a: ConvAttrs, w: readonly number[]): Window2d => ({ ...a, ksize: w.slice(2) });

/** x [N, C, H, W] * w [M, C / groups, kh, kw] (+ bias [M], + residual like the result) -> [N, M, OH, OW]. */
export function inferConv(attrs: ConvAttrs, inputs: readonly (InferInput | null)[]): TensorType[] {
  const [x, w] = [realTypeOf(inputs, 0).shape, realTypeOf(inputs, 1).shape];
  if (x.length !== 4 || w.length !== 4) throw new Error(`convolution of ${show(x)} with ${show(w)}: rank 4 expected`);
  const [n, c] = x as [number, number];
  const [m, perGroup] = w as [number, number];
  const { groups } = attrs;
  if (groups < 1 || c !== perGroup * groups || m % groups !== 0)
    throw new Error(`weights ${show(w)} do not fit ${c} channels in ${groups} groups`);
  const window = windowOf(attrs, w);
  checkWindow(window);
  const shape = [n, m, ...windowOutput(x.slice(2), window)];
  const bias = inputs[2]?.type.shape;
  if (bias && (bias.length !== 1 || bias[0] !== m)) throw new Error(`bias ${show(bias)} for ${m} channels`);
  const residual = inputs[3]?.type.shape;
  if (residual && show(residual) !== show(shape)) throw new Error(`residual ${show(residual)} on ${show(shape)}`);
  return [{ dtype: 'f32', shape }];
}

/** Products of a convolution, those with padding included. */
export const convMacs = (_: ConvAttrs, inputs: readonly (TensorType | null)[], output: TensorType): number =>
  sizeOf(output.shape) * sizeOf((inputs[1] as TensorType).shape.slice(1));

/** The sums of a convolution in float64: exact for codes. Positions in the padding contribute nothing. */
function convolve(attrs: ConvAttrs, x: Float64Array, xs: readonly number[], w: Float64Array, ws: readonly number[]) {
  const [n, c, h, width] = xs as [number, number, number, number];
  const [m, perGroup, kh, kw] = ws as [number, number, number, number];
  const [oh, ow] = windowOutput(xs.slice(2), windowOf(attrs, ws)) as [number, number];
  const geometry: Geometry = { ...tapGeometry(attrs), h, width, oh, ow, kh, kw };
  const acc = new Float64Array(n * m * oh * ow);
  const flat = kh * kw === 1 && attrs.strides[0] === 1 && attrs.strides[1] === 1 && attrs.pads.every((p) => p === 0);
  const filtersPerGroup = m / attrs.groups;
  for (let b = 0; b < n; b++)
    for (let o = 0; o < m; o++)
      for (let i = 0; i < perGroup; i++) {
        const to = (b * m + o) * oh * ow;
        const from = (b * c + Math.floor(o / filtersPerGroup) * perGroup + i) * h * width;
        const taps = (o * perGroup + i) * kh * kw;
        if (flat) addRow(acc, to, x, from, 1, oh * ow, w[taps] as number);
        else addPlane(geometry, acc, to, x, from, w, taps);
      }
  return acc;
}

interface Geometry {
  readonly h: number;
  readonly width: number;
  readonly oh: number;
  readonly ow: number;
  readonly kh: number;
  readonly kw: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly dilationY: number;
  readonly dilationX: number;
  readonly top: number;
  readonly left: number;
}

function tapGeometry(a: ConvAttrs) {
  const [strideY, strideX] = a.strides as [number, number];
  const [dilationY, dilationX] = a.dilations as [number, number];
  const [top, left] = a.pads as [number, number];
  return { strideY, strideX, dilationY, dilationX, top, left };
}

/** Adds one input plane times one kernel plane to one output plane. */
function addPlane(
  g: Geometry,
  acc: Float64Array,
  to: number,
  x: Float64Array,
  from: number,
  w: Float64Array,
  taps: number,
): void {
  for (let ky = 0; ky < g.kh; ky++) {
    const dy = ky * g.dilationY - g.top;
    const [y0, y1] = validRange(dy, g.strideY, g.h, g.oh);
    for (let kx = 0; kx < g.kw; kx++) {
      const dx = kx * g.dilationX - g.left;
      const [x0, x1] = validRange(dx, g.strideX, g.width, g.ow);
      const weight = w[taps + ky * g.kw + kx] as number;
      for (let oy = y0; oy < y1; oy++) {
        const row = from + (oy * g.strideY + dy) * g.width + dx + x0 * g.strideX;
        addRow(acc, to + oy * g.ow + x0, x, row, g.strideX, x1 - x0, weight);
      }
    }
  }
}

function addRow(
  acc: Float64Array,
  to: number,
  x: Float64Array,
  from: number,
  step: number,
  count: number,
  weight: number,
): void {
  for (let i = 0; i < count; i++) acc[to + i] = (acc[to + i] as number) + weight * (x[from + i * step] as number);
}

function epilogueOf(attrs: ConvAttrs, inputs: Inputs, shape: readonly number[]): Epilogue {
  return {
    channels: shape[1] as number,
    inner: (shape[2] as number) * (shape[3] as number),
    bias: inputs[2] ?? null,
    residual: inputs[3] ?? null,
    activation: attrs.activation ?? null,
  };
}

/** The float reference of a convolution. */
export function referenceConv(attrs: ConvAttrs, inputs: Inputs): Tensor[] {
  const [x, w] = [tensorAt(inputs, 0), tensorAt(inputs, 1)];
  const shape = inferConv(attrs, asInputs(inputs))[0]?.shape as readonly number[];
  const [xd, wd] = [new Float64Array(x.data as Float32Array), new Float64Array(w.data as Float32Array)];
  return [finishReals(convolve(attrs, xd, x.type.shape, wd, w.type.shape), epilogueOf(attrs, inputs, shape), shape)];
}

/** Whether the integer form applies: per-tensor codes in and out, weights per tensor or per `channelAxis`. */
export function hasIntegerSums(x: TensorType, w: TensorType, output: TensorType, channelAxis: number): boolean {
  const weights = isCodes(w) && (w.quant?.axis === null || w.quant?.axis === channelAxis);
  return isPerTensorCodes(x) && weights && (!isCodes(output) || output.quant?.axis === null);
}

/** The convolution on codes; without codes on both operands, the float reference on their real values. */
export function integerConv(attrs: ConvAttrs, inputs: Inputs, output: TensorType): Tensor {
  const [x, w] = [tensorAt(inputs, 0), tensorAt(inputs, 1)];
  if (!hasIntegerSums(x.type, w.type, output, 0))
    return referenceConv(
      attrs,
      inputs.map((t) => t && toReal(t)),
    )[0] as Tensor;
  const acc = convolve(attrs, centredCodes(x), x.type.shape, centredCodes(w), w.type.shape);
  const epilogue = epilogueOf(attrs, inputs, output.shape);
  return finishSums(acc, epilogue, x.type.quant as Quant, w.type.quant as Quant, output);
}
