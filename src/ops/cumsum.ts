import { allocate, rowMajorStrides } from '../ir/tensor.js';
import { stridedIndices } from './broadcast.js';
import type { OnnxImporter } from './import-context.js';
import { lowerCumsum } from './lowering/cumsum.js';
import { defineOp } from './op.js';
import { normalizeAxis, reshaped, tensorAt, typeOf } from './shapes.js';

/** `axis` is not negative. */
export type CumsumAttrs = { readonly axis: number; readonly exclusive: boolean; readonly reverse: boolean };

const importCumsum: OnnxImporter = (context) => {
  const x = context.input(0);
  const [axis = Number.NaN] = context.numbers(1) ?? [];
  const flag = (name: string): boolean => context.attrs.int(name, 0) !== 0;
  const attrs = {
    axis: normalizeAxis(axis, x.type.shape.length),
    exclusive: flag('exclusive'),
    reverse: flag('reverse'),
  };
  return context.add('cumsum', attrs, [x]);
};

export const cumsum = defineOp<CumsumAttrs>({
  name: 'cumsum',
  doc: 'running sums along an axis; exclusive leaves the element itself out, reverse sums from the end',
  inputs: [1, 1],
  quant: 'float-only',
  lower: lowerCumsum,
  infer(attrs, inputs) {
    const type = typeOf(inputs, 0);
    if (type.dtype === 'bool') throw new Error('sums of booleans');
    normalizeAxis(attrs.axis, type.shape.length);
    return [reshaped(type, type.shape)];
  },
  reference({ axis, exclusive, reverse }, inputs) {
    const { type, data: x } = tensorAt(inputs, 0);
    const { dtype, shape } = type;
    const strides = rowMajorStrides(shape);
    const rest = (list: readonly number[]): number[] => list.filter((_, d) => d !== axis);
    const [size, step] = [shape[axis] as number, strides[axis] as number];
    const data = allocate(dtype, x.length);
    const whole = dtype === 'i64';
    for (const start of stridedIndices(rest(shape), rest(strides))) {
      let sum: number | bigint = whole ? 0n : 0;
      for (let i = 0; i < size; i++) {
        const at = start + (reverse ? size - 1 - i : i) * step;
        const next: number | bigint = ((sum as number) + (x[at] as number)) as number | bigint;
        data[at] = (exclusive ? sum : next) as never;
        sum = next;
      }
    }
    return [{ type: { dtype, shape }, data }];
  },
  onnx: { CumSum: importCumsum },
});
