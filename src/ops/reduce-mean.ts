import type { InferInput } from '../ir/op.js';
import { allocate, rowMajorStrides, type Tensor } from '../ir/tensor.js';
import { type Quant, scaleAt, sizeOf, type TensorType } from '../ir/type.js';
import { toReal } from '../quant/tensors.js';
import { stridedIndices } from './broadcast.js';
import { centredCodes, isPerTensorCodes } from './codes.js';
import { finisher } from './epilogue.js';
import type { PaddleImporter } from './import-context.js';
import { reduction, reshape } from './import-paddle.js';
import { importAccuracy } from './import-paddle-accuracy.js';
import { lowerReduce } from './lowering/reduction.js';
import { defineOp } from './op.js';
import { importReduce, type ReduceAttrs, reducedShape } from './reduce-shared.js';
import { asInputs, realTypeOf, tensorAt } from './shapes.js';

type Inputs = readonly (Tensor | null)[];

function infer(attrs: ReduceAttrs, inputs: readonly (InferInput | null)[]): TensorType[] {
  return [{ dtype: 'f32', shape: reducedShape(attrs, realTypeOf(inputs, 0).shape) }];
}

const countOf = (attrs: ReduceAttrs, shape: readonly number[]): number =>
  sizeOf(attrs.axes.map((a) => shape[a] as number));

/** Sums over the axes, in float64. */
function sums(attrs: ReduceAttrs, x: Float64Array, shape: readonly number[]): Float64Array {
  const strides = rowMajorStrides(shape);
  const pick = (list: readonly number[], reduced: boolean): number[] =>
    list.filter((_, i) => attrs.axes.includes(i) === reduced);
  const starts = stridedIndices(pick(shape, false), pick(strides, false));
  const offsets = stridedIndices(pick(shape, true), pick(strides, true));
  return Float64Array.from(starts, (start) => {
    let sum = 0;
    for (const offset of offsets) sum += x[start + offset] as number;
    return sum;
  });
}

function reference(attrs: ReduceAttrs, inputs: Inputs): Tensor[] {
  const x = tensorAt(inputs, 0);
  const type = infer(attrs, asInputs([x]))[0] as TensorType;
  const n = countOf(attrs, x.type.shape);
  return [
    {
      type,
      data: Float32Array.from(sums(attrs, new Float64Array(x.data as Float32Array), x.type.shape), (s) => s / n),
    },
  ];
}

/** On codes, as an average pool: round(f32(sum) * f32(s_x / (n * s_y))) + z_y. */
function integer(attrs: ReduceAttrs, inputs: Inputs, output: TensorType): Tensor {
  const x = tensorAt(inputs, 0);
  if (!isPerTensorCodes(x.type) || !isPerTensorCodes(output)) return reference(attrs, [toReal(x)])[0] as Tensor;
  const f32 = Math.fround;
  const n = countOf(attrs, x.type.shape);
  const m = f32(scaleAt(x.type.quant as Quant, 0) / (n * scaleAt(output.quant as Quant, 0)));
  const finish = finisher(null, output);
  const data = allocate(output.dtype, sizeOf(output.shape));
  sums(attrs, centredCodes(x), x.type.shape).forEach((s, i) => {
    data[i] = finish(f32(f32(s) * m));
  });
  return { type: output, data };
}

/** Paddle mean: of all elements, as a tensor of one. */
const importMean: PaddleImporter = (context) => {
  const x = context.input('X');
  return reshape(
    context,
    context.add('reduce_mean', { axes: x.type.shape.map((_, d) => d), keepDims: false }, [x]),
    [1],
  );
};

export const reduceMean = defineOp<ReduceAttrs>({
  name: 'reduce_mean',
  doc: 'mean over axes',
  inputs: [1, 1],
  quant: 'requantizes',
  lower: lowerReduce('mean'),
  infer,
  reference,
  integer,
  paddle: { accuracy: importAccuracy, reduce_mean: reduction('reduce_mean'), mean: importMean },
  onnx: { ReduceMean: importReduce('reduce_mean') },
});
