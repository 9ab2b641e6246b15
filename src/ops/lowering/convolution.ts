import { holdsCodes } from '../../codegen/kernel.js';
import { type DepthwiseParams, depthwise, packDepthwise } from '../../codegen/kernels/depthwise.js';
import { epilogueArguments } from '../../codegen/kernels/epilogue.js';
import { type GemmParams, gemm, joinRows } from '../../codegen/kernels/gemm.js';
import {
  type Halo,
  type LowerContext,
  laneStorage,
  NO_HALO,
  type Ref,
  refOf,
  type View,
} from '../../codegen/lowering.js';
import { chooseDepthwise, chooseTile } from '../../codegen/select.js';
import type { Tensor } from '../../ir/tensor.js';
import type { TensorType } from '../../ir/type.js';
import { toReal } from '../../quant/tensors.js';
import { assert, modelError } from '../../support/errors.js';
import { centredCodes } from '../codes.js';
import type { ConvAttrs } from '../conv-shared.js';
import { lowerComputedConv } from './contraction.js';
import { operandIsa, type PlannedEpilogue, padded, planEpilogue } from './epilogue.js';
import { gemmWeights } from './gemm-weights.js';
import { lowerWinograd, WINOGRAD_STEP, winogradApplies } from './winograd.js';

/** The zeros that a convolution reads around its input: only as far as the last window reaches. */
export function convolutionHalo(attrs: ConvAttrs, inputs: readonly (TensorType | null)[], slot: number): Halo {
  const [x, w] = [inputs[0]?.shape, inputs[1]?.shape];
  if (slot !== 0 || !x || !w) return NO_HALO;
  const [top, left] = attrs.pads as [number, number];
  const step = winogradApplies(attrs, inputs) ? WINOGRAD_STEP : 1;
  const after = (d: 0 | 1): number => {
    const [size, k] = [x[d + 2] as number, w[d + 2] as number];
    const [stride, dilation, pad] = [attrs.strides[d], attrs.dilations[d], attrs.pads[d]] as [number, number, number];
    const reach = dilation * (k - 1) + 1;
    const outputs = Math.floor((size + pad + (attrs.pads[d + 2] as number) - reach) / stride) + 1;
    return Math.max(0, (Math.ceil(outputs / step) * step - 1) * stride + reach - size - pad);
  };
  return [top, left, after(0), after(1)];
}

/** The operand that is added to the sums: its element is read just before the result's is written. */
const RESIDUAL = 3;

/** Everything about a convolution node that its kernel calls share. */
export interface Geometry {
  readonly x: View;
  readonly out: View;
  readonly attrs: ConvAttrs;
  readonly weights: Float64Array;
  /** Shape of the weights: [filters, channels per group, kernel height, kernel width]. */
  readonly shape: readonly [number, number, number, number];
  /** The element of x under the first tap of the first window, in elements from its first. */
  readonly origin: number;
  readonly common: Pick<GemmParams, 'storage' | 'rows' | 'cols' | 'pixStride' | 'rowStride' | 'outPix' | 'outRow'>;
}

function geometryOf(context: LowerContext, attrs: ConvAttrs): Geometry {
  const need = convolutionHalo(attrs, [context.inputType(0), context.inputType(1)], 0);
  const w = context.constant(1);
  assert(w, 'weights that are computed take another way');
  const x = context.input(0, { nhwc: need });
  const out = context.outputOver(RESIDUAL);
  const [row, pix] = [x.strides[2] as number, x.strides[3] as number];
  const [strideY, strideX] = attrs.strides as [number, number];
  return {
    x,
    out,
    attrs,
    weights: holdsCodes(x.storage) ? centredCodes(w) : realWeights(w),
    shape: w.type.shape as Geometry['shape'],
    origin: -(attrs.pads[0] as number) * row - (attrs.pads[1] as number) * pix,
    common: {
      storage: laneStorage(x),
      rows: out.shape[2] as number,
      cols: out.shape[3] as number,
      pixStride: strideX * pix,
      rowStride: strideY * row,
      outPix: out.strides[3] as number,
      outRow: out.strides[2] as number,
    },
  };
}

const realWeights = (w: Tensor): Float64Array => Float64Array.from(toReal(w).data as Float32Array);

/** Per filter, the sum of |weight|. */
function absoluteSums(weights: Float64Array, filters: number): Float64Array {
  const sums = new Float64Array(filters);
  const step = weights.length / filters;
  weights.forEach((v, i) => {
    const f = Math.floor(i / step);
    sums[f] = (sums[f] as number) + Math.abs(v);
  });
  return sums;
}

const planned = (context: LowerContext, g: Geometry, added?: Float64Array): PlannedEpilogue =>
  planEpilogue(context, {
    channels: g.shape[0],
    activation: g.attrs.activation ?? null,
    weightSums: absoluteSums(g.weights, g.shape[0]),
    ...(added ? { added } : {}),
  });

/** Per channel, the sum of where the runs of a depthwise convolution start. */
const sumOfStarts = (starts: readonly Int16Array[], channels: number): Float64Array =>
  Float64Array.from({ length: channels }, (_, c) => starts.reduce((sum, run) => sum + (run[c] as number), 0));

/** conv2d: one implicit matrix product per group and image. */
export function lowerConv2d(context: LowerContext, attrs: ConvAttrs): void {
  if (!context.constant(1)) return lowerComputedConv(context, attrs);
  const g = geometryOf(context, attrs);
  if (lowerWinograd(context, g, planned)) return;
  const [filters, perGroup, kh, kw] = g.shape;
  const perGroupOut = filters / attrs.groups;
  const [row, pix] = [g.x.strides[2] as number, g.x.strides[3] as number];
  const [dilationY, dilationX] = attrs.dilations as [number, number];
  const merged = attrs.groups === 1 && dilationX === 1;
  const taps = merged
    ? { ySegments: kh, xSegments: 1, length: kw * perGroup, yStride: dilationY * row, xStride: 0 }
    : { ySegments: kh, xSegments: kw, length: perGroup, yStride: dilationY * row, xStride: dilationX * pix };
  const { epilogue, args } = planned(context, g);
  const isa = operandIsa(context, g.x);
  const shape = joinRows({ ...g.common, isa, columns: perGroupOut, taps, epilogue });
  const params: GemmParams = { ...shape, tile: chooseTile(shape) };
  for (let group = 0; group < attrs.groups; group++) {
    const first = group * perGroupOut;
    const weight = (column: number, segment: number, k: number): number => {
      const tap = merged ? segment * kw + Math.floor(k / perGroup) : segment;
      return g.weights[((first + column) * perGroup + (merged ? k % perGroup : k)) * kh * kw + tap] as number;
    };
    const ready = gemmWeights(context, params, weight);
    for (let n = 0; n < (g.x.shape[0] as number); n++) {
      const from = refOf(g.x, g.origin + n * (g.x.strides[0] as number) + group * perGroup);
      const to = refOf(g.out, n * (g.out.strides[0] as number) + first);
      const ends = epilogueArguments(epilogue, args(first, perGroupOut, n));
      context.task();
      context.call(gemm, ready.params, [from, to, ...ready.weights, ...ends]);
    }
  }
}

/** depthwise_conv2d with as many filters as channels; with a multiplier it is a grouped convolution. */
export function lowerDepthwise(context: LowerContext, attrs: ConvAttrs): void {
  const [filters] = context.inputType(1).shape;
  if (filters !== attrs.groups || !context.constant(1)) return lowerConv2d(context, attrs);
  const g = geometryOf(context, attrs);
  const [channels, , kh, kw] = g.shape;
  const [row, pix] = [g.x.strides[2] as number, g.x.strides[3] as number];
  const [dilationY, dilationX] = attrs.dilations as [number, number];
  const plan = planned(context, g);
  const taps = { ySegments: kh, xSegments: kw, yStride: dilationY * row, xStride: dilationX * pix };
  const weight = (c: number, tap: number): number => g.weights[c * kh * kw + tap] as number;
  const { starts, ...choice } = chooseDepthwise({
    storage: laneStorage(g.x),
    target: context.target,
    channels,
    taps: kh * kw,
    input: context.range(0),
    weights: context.range(1),
    shifts: plan.epilogue.sum === 'i32' && plan.epilogue.bias !== 'f32',
    weight,
  });
  const { epilogue, args } = choice.started ? planned(context, g, sumOfStarts(starts, channels)) : plan;
  const params: DepthwiseParams = { ...g.common, ...choice, channels, taps, epilogue };
  const packed = packDepthwise(params, weight, starts);
  const weights = context.weights(packed);
  for (let n = 0; n < (g.x.shape[0] as number); n++) {
    const from = refOf(g.x, g.origin + n * (g.x.strides[0] as number));
    const to = refOf(g.out, n * (g.out.strides[0] as number));
    context.task();
    context.call(depthwise, params, [from, to, weights, ...epilogueArguments(epilogue, args(0, channels, n))]);
  }
}

/** affine_channel on images: a depthwise 1x1 convolution of reals. */
export function lowerAffineChannel(context: LowerContext): void {
  const x = context.input(0, { nhwc: NO_HALO });
  const out = context.output();
  const [k, shift] = [context.constant(1), context.constant(2)];
  if (!k || !shift) throw modelError('affine_channel needs constant scale and bias');
  const channels = x.shape[1] as number;
  const params: DepthwiseParams = {
    storage: 'f32',
    arithmetic: 'float',
    runs: [],
    channels,
    rows: x.shape[2] as number,
    cols: x.shape[3] as number,
    taps: { ySegments: 1, xSegments: 1, yStride: 0, xStride: 0 },
    pixStride: x.strides[3] as number,
    rowStride: x.strides[2] as number,
    outPix: out.strides[3] as number,
    outRow: out.strides[2] as number,
    epilogue: { sum: 'f32', bias: 'f32', residual: null, activation: null, output: { storage: 'f32' } },
  };
  const weights = context.weights(packDepthwise(params, (c) => Number(k.data[c])));
  const bias = context.data(Float32Array.from(padded(Array.from(shift.data as Float32Array))));
  for (let n = 0; n < (x.shape[0] as number); n++) {
    const at = (v: View): Ref => refOf(v, n * (v.strides[0] as number));
    context.call(depthwise, params, [at(x), at(out), weights, bias]);
  }
}
