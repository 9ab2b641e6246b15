import { allocate, f32, i64, type Tensor } from '../ir/tensor.js';
import { type DType, sizeOf } from '../ir/type.js';
import type { OnnxImporter } from './import-context.js';
import * as shapes from './import-paddle-shape.js';
import { defineOp } from './op.js';
import { show } from './shapes.js';

type FillAttrs = { readonly shape: readonly number[]; readonly dtype: DType; readonly value: number };

/** Larger constants than this do not come from shape arithmetic. */
const MAX_ELEMENTS = 2 ** 26;

function fill(shape: readonly number[], dtype: DType, value: number): Tensor {
  if (shape.some((d) => d < 0) || sizeOf(shape) > MAX_ELEMENTS) throw new Error(`a constant of shape ${show(shape)}`);
  const data = allocate(dtype, sizeOf(shape));
  if (data instanceof BigInt64Array) data.fill(BigInt(value));
  else data.fill(value);
  return { type: { dtype, shape }, data };
}

/** ONNX Constant: exactly one of its value attributes is given. */
const importConstant: OnnxImporter = (context) => {
  const { attrs } = context;
  const value = attrs.tensor('value');
  if (value) return context.literal('constant', value);
  if (attrs.has('value_float')) return context.literal('constant', f32([], [attrs.float('value_float')]));
  if (attrs.has('value_int')) return context.literal('constant', i64([], [attrs.int('value_int')]));
  if (attrs.has('value_floats')) {
    const list = attrs.floats('value_floats');
    return context.literal('constant', f32([list.length], list));
  }
  if (attrs.has('value_ints')) {
    const list = attrs.ints('value_ints');
    return context.literal('constant', i64([list.length], list));
  }
  return context.unsupported('a Constant without a dense numeric value');
};

const importConstantOfShape: OnnxImporter = (context) => {
  const value = context.attrs.tensor('value');
  const { dtype } = value?.type ?? { dtype: 'f32' };
  const shape = context.isComputed(0)
    ? context.statedShape(0, 0, context.input(0).type.shape[0])
    : (context.numbers(0) ?? []);
  return context.literal('constant', fill(shape, dtype, Number(value?.data[0] ?? 0)));
};

export const fillConstant = defineOp<FillAttrs>({
  name: 'fill_constant',
  doc: 'a tensor of one repeated number',
  inputs: [0, 0],
  quant: 'float-only',
  infer: (attrs) => [{ dtype: attrs.dtype, shape: attrs.shape }],
  reference: (attrs) => [fill(attrs.shape, attrs.dtype, attrs.value)],
  paddle: {
    fill_constant: shapes.importFillConstant,
    fill_constant_batch_size_like: shapes.importFillLike,
    fill_any_like: shapes.importFillAnyLike,
    fill_zeros_like: shapes.importFillAnyLike,
    assign_value: shapes.importAssignValue,
  },
  onnx: { Constant: importConstant, ConstantOfShape: importConstantOfShape },
});
