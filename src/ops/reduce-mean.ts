import type { InferInput } from '../ir/op.js';
import { allocate, rowMajorStrides, type Tensor } from '../ir/tensor.js';
import { type Quant, scaleAt, sizeOf, type TensorType } from '../ir/type.js';
import { toReal } from '../quant/tensors.js';
import { stridedIndices } from './broadcast.js';
import { centredCodes, isPerTensorCodes } from './codes.js';
import { finisher } from './epilogue.js';
import type { OnnxImporter } from './import-context.js';
import { axesOf } from './import-helpers.js';
import { lowerReduce } from './lowering/reduction.js';
import { defineOp } from './op.js';
import { asInputs, normalizeAxes, realTypeOf, tensorAt } from './shapes.js';

/** `axes` are sorted and not negative. */
type ReduceAttrs = { readonly axes: readonly number[]; readonly keepDims: boolean };

type Inputs = readonly (Tensor | null)[];

function infer(attrs: ReduceAttrs, inputs: readonly (InferInput | null)[]): TensorType[] {
  const { shape } = realTypeOf(inputs, 0);
  normalizeAxes(attrs.axes, shape.length);
  const reduced = shape.map((d, i) => (attrs.axes.includes(i) ? 1 : d));
  return [{ dtype: 'f32', shape: attrs.keepDims ? reduced : reduced.filter((_, i) => !attrs.axes.includes(i)) }];
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

const importReduceMean: OnnxImporter = (context) => {
  const x = context.input(0);
  const given = axesOf(context) ?? [];
  if (given.length === 0 && context.attrs.int('noop_with_empty_axes', 0) !== 0) return context.add('assign', {}, [x]);
  const rank = x.type.shape.length;
  const axes = given.length === 0 ? x.type.shape.map((_, i) => i) : normalizeAxes(given, rank);
  return context.add('reduce_mean', { axes, keepDims: context.attrs.int('keepdims', 1) !== 0 }, [x]);
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
  onnx: { ReduceMean: importReduceMean },
});
