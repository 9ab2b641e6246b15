import type { InferInput } from '../ir/op.js';
import { allocate, type Tensor } from '../ir/tensor.js';
import { type Quant, sameQuant, scaleAt, sizeOf, type TensorType } from '../ir/type.js';
import { toReal } from '../quant/tensors.js';
import { centredCodes, isPerTensorCodes } from './codes.js';
import { finisher } from './epilogue.js';
import type { ImportContext, OnnxImporter } from './import-context.js';
import { onReals } from './import-helpers.js';
import { lowerPool } from './lowering/pool.js';
import { defineOp } from './op.js';
import { asInputs, show, tensorAt, typeOf } from './shapes.js';
import { checkWindow, importWindow, type Window2d, windowOutput } from './window.js';

/** Attributes of pool2d; pads are [top, left, bottom, right]. `global` covers the plane and ignores the window. */
export type PoolAttrs = {
  readonly poolType: 'avg' | 'max';
  readonly ksize: readonly number[];
  readonly strides: readonly number[];
  readonly pads: readonly number[];
  readonly dilations: readonly number[];
  readonly global: boolean;
  /** Whether an average divides by the padded window (ONNX count_include_pad; Paddle's exclusive = false). */
  readonly countIncludePad: boolean;
  readonly ceilMode: boolean;
};

type Inputs = readonly (Tensor | null)[];

/** The window that a pool2d node slides over an input [N, C, H, W]. */
export function poolWindow(attrs: PoolAttrs, shape: readonly number[]): Window2d {
  if (shape.length !== 4) throw new Error(`pooling of ${show(shape)}: rank 4 expected`);
  return attrs.global ? { ksize: shape.slice(2), strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1] } : attrs;
}

function infer(attrs: PoolAttrs, inputs: readonly (InferInput | null)[]): TensorType[] {
  const { shape } = typeOf(inputs, 0);
  const window = poolWindow(attrs, shape);
  checkWindow(window);
  if (window.pads.some((p, d) => p >= (window.dilations[d % 2] as number) * ((window.ksize[d % 2] as number) - 1) + 1))
    throw new Error(`pads ${show(window.pads)} reach a whole window of ${show(window.ksize)}`);
  return [{ dtype: 'f32', shape: [...shape.slice(0, 2), ...windowOutput(shape.slice(2), window, attrs.ceilMode)] }];
}

/** The taps of one window position along one dimension: those inside the input, and how many an average counts. */
interface Span {
  readonly taps: number[];
  readonly counted: number;
}

/** The spans of every output position along dimension `d` (0 vertical, 1 horizontal). */
export function poolSpans(w: Window2d, d: 0 | 1, size: number, outputs: number, countPad: boolean): Span[] {
  const [k, stride, dilation] = [w.ksize[d], w.strides[d], w.dilations[d]] as [number, number, number];
  const [before, after] = [w.pads[d], w.pads[d + 2]] as [number, number];
  return Array.from({ length: outputs }, (_, o) => {
    const all = Array.from({ length: k }, (_, i) => o * stride - before + i * dilation);
    const taps = all.filter((p) => p >= 0 && p < size);
    return { taps, counted: countPad ? all.filter((p) => p < size + after).length : taps.length };
  });
}

/** Per output element: the sum or maximum of its window, and through `counted` the divisor of an average. */
function slide(attrs: PoolAttrs, x: Float64Array, shape: readonly number[], finish: (v: number, n: number) => number) {
  const [n, c, h, width] = shape as [number, number, number, number];
  const window = poolWindow(attrs, shape);
  const [oh, ow] = windowOutput([h, width], window, attrs.ceilMode) as [number, number];
  const rows = poolSpans(window, 0, h, oh, attrs.countIncludePad);
  const cols = poolSpans(window, 1, width, ow, attrs.countIncludePad);
  const out = new Float64Array(n * c * oh * ow);
  const max = attrs.poolType === 'max';
  let at = 0;
  for (let plane = 0; plane < n * c; plane++)
    for (const row of rows)
      for (const col of cols) {
        let v = max ? Number.NEGATIVE_INFINITY : 0;
        for (const y of row.taps)
          for (const p of col.taps) {
            const e = x[(plane * h + y) * width + p] as number;
            v = max ? Math.max(v, e) : v + e;
          }
        out[at++] = finish(v, row.counted * col.counted);
      }
  return out;
}

function reference(attrs: PoolAttrs, inputs: Inputs): Tensor[] {
  const x = tensorAt(inputs, 0);
  const type = infer(attrs, asInputs([x]))[0] as TensorType;
  const finish = attrs.poolType === 'max' ? (v: number) => v : (v: number, n: number) => v / n;
  const out = slide(attrs, new Float64Array(x.data as Float32Array), x.type.shape, finish);
  return [{ type, data: new Float32Array(out) }];
}

/**
 * On codes: the maximum is a code itself; an average is round(f32(sum) * f32(s_x / (n * s_y))) + z_y, where the sum is
 * of centred codes and n counts the window as `countIncludePad` says.
 */
function integer(attrs: PoolAttrs, inputs: Inputs, output: TensorType): Tensor {
  const x = tensorAt(inputs, 0);
  const q = x.type.quant as Quant;
  const selects = attrs.poolType === 'max' && !sameQuant(q, output.quant);
  if (!isPerTensorCodes(x.type) || !isPerTensorCodes(output) || selects)
    return reference(attrs, [toReal(x)])[0] as Tensor;
  const finish = finisher(null, output);
  const [sx, sy] = [scaleAt(q, 0), scaleAt(output.quant as Quant, 0)];
  const f32 = Math.fround;
  const code =
    attrs.poolType === 'max'
      ? (v: number): number => finish(v)
      : (v: number, n: number): number => finish(f32(f32(v) * f32(sx / (n * sy))));
  const data = allocate(output.dtype, sizeOf(output.shape));
  slide(attrs, centredCodes(x), x.type.shape, code).forEach((v, i) => {
    data[i] = v;
  });
  return { type: output, data };
}

const importPool =
  (poolType: 'avg' | 'max'): OnnxImporter =>
  (context) => {
    const { attrs } = context;
    if (context.outputCount > 1) context.unsupported(`${context.type} with indices as second output`);
    const x = context.input(0);
    const ksize = attrs.ints('kernel_shape');
    return pool(context, {
      poolType,
      ksize,
      ...importWindow(context, x.type.shape, ksize),
      global: false,
      countIncludePad: attrs.int('count_include_pad', 0) !== 0,
      ceilMode: attrs.int('ceil_mode', 0) !== 0,
    });
  };

const importGlobal =
  (poolType: 'avg' | 'max'): OnnxImporter =>
  (context) => {
    const rank = context.input(0).type.shape.length;
    if (rank !== 4) context.unsupported(`${context.type} on a tensor of rank ${rank}`);
    const window = { ksize: [1, 1], strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1] };
    return pool(context, { poolType, ...window, global: true, countIncludePad: false, ceilMode: false });
  };

const pool = (context: ImportContext, attrs: PoolAttrs) => onReals(context, (x) => context.add('pool2d', attrs, [x]));

export const pool2d = defineOp<PoolAttrs>({
  name: 'pool2d',
  doc: 'average or maximum over a sliding window or the whole plane of x[N,C,H,W]',
  inputs: [1, 1],
  quant: 'requantizes',
  lower: lowerPool,
  infer,
  reference,
  integer,
  onnx: {
    AveragePool: importPool('avg'),
    MaxPool: importPool('max'),
    GlobalAveragePool: importGlobal('avg'),
    GlobalMaxPool: importGlobal('max'),
  },
});
