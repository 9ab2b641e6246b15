import type { InferInput } from '../ir/op.js';
import { allocate, type Tensor } from '../ir/tensor.js';
import { isCodes, type Quant, sameQuant, scaleAt, sizeOf, type TensorType } from '../ir/type.js';
import { toReal } from '../quant/tensors.js';
import { centredCodes, isPerTensorCodes } from './codes.js';
import { finisher } from './epilogue.js';
import { importPool2d } from './import-paddle-pool.js';
import { importGlobalPool, importPool } from './import-pool.js';
import { quantizedOp } from './import-quantized.js';
import { lowerPool } from './lowering/pool.js';
import { defineOp } from './op.js';
import { type PoolAttrs, poolWindow, slidePool } from './pool-shared.js';
import { asInputs, realTypeOf, show, tensorAt } from './shapes.js';
import { checkWindow, windowOutput } from './window.js';

type Inputs = readonly (Tensor | null)[];

function infer(attrs: PoolAttrs, inputs: readonly (InferInput | null)[]): TensorType[] {
  const { shape } = realTypeOf(inputs, 0);
  const window = poolWindow(attrs, shape);
  checkWindow(window);
  if (window.pads.some((p, d) => p >= (window.dilations[d % 2] as number) * ((window.ksize[d % 2] as number) - 1) + 1))
    throw new Error(`pads ${show(window.pads)} reach a whole window of ${show(window.ksize)}`);
  return [{ dtype: 'f32', shape: [...shape.slice(0, 2), ...windowOutput(shape.slice(2), window, attrs.ceilMode)] }];
}

function reference(attrs: PoolAttrs, inputs: Inputs): Tensor[] {
  const x = tensorAt(inputs, 0);
  const type = infer(attrs, asInputs([x]))[0] as TensorType;
  const finish = attrs.poolType === 'max' ? (v: number) => v : (v: number, n: number) => v / n;
  const out = slidePool(attrs, new Float64Array(x.data as Float32Array), x.type.shape, finish);
  return [{ type, data: new Float32Array(out) }];
}

/**
 * On codes: the maximum is a code itself; an average is round(f32(sum) * f32(s_x / (n * s_y))) + z_y, where the sum is
 * of centred codes and n counts the window as `countIncludePad` says; without codes in the output it is the real value.
 */
function integer(attrs: PoolAttrs, inputs: Inputs, output: TensorType): Tensor {
  const x = tensorAt(inputs, 0);
  const q = x.type.quant as Quant;
  const real = !isCodes(output);
  const selects = attrs.poolType === 'max' && (real || !sameQuant(q, output.quant));
  if (!isPerTensorCodes(x.type) || !(real || isPerTensorCodes(output)) || selects)
    return reference(attrs, [toReal(x)])[0] as Tensor;
  const finish = finisher(null, output);
  const [sx, sy] = [scaleAt(q, 0), real ? 1 : scaleAt(output.quant as Quant, 0)];
  const f32 = Math.fround;
  const code =
    attrs.poolType === 'max'
      ? (v: number): number => finish(v)
      : (v: number, n: number): number => finish(f32(f32(v) * f32(sx / (n * sy))));
  const data = allocate(output.dtype, sizeOf(output.shape));
  slidePool(attrs, centredCodes(x), x.type.shape, code).forEach((v, i) => {
    data[i] = v;
  });
  return { type: output, data };
}

export const pool2d = defineOp<PoolAttrs>({
  name: 'pool2d',
  doc: 'average or maximum over a sliding window or the whole plane of x[N,C,H,W]',
  inputs: [1, 1],
  quant: 'requantizes',
  lower: lowerPool,
  infer,
  reference,
  integer,
  paddle: { pool2d: importPool2d },
  onnx: {
    AveragePool: importPool('avg'),
    MaxPool: importPool('max'),
    GlobalAveragePool: importGlobalPool('avg'),
    GlobalMaxPool: importGlobalPool('max'),
    'com.microsoft:QLinearAveragePool': quantizedOp(1, importPool('avg')),
    'com.microsoft:QLinearGlobalAveragePool': quantizedOp(1, importGlobalPool('avg')),
  },
});
