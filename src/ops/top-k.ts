import { allocate, rowMajorStrides } from '../ir/tensor.js';
import { sizeOf } from '../ir/type.js';
import { stridedIndices } from './broadcast.js';
import type { OnnxImporter } from './import-context.js';
import { importTopK as importPaddleTopK } from './import-paddle-shape.js';
import { lowerTopK } from './lowering/reduction.js';
import { defineOp } from './op.js';
import { normalizeAxis, plainDtype, tensorAt, typeOf } from './shapes.js';

/** `axis` is not negative. */
export type TopKAttrs = { readonly axis: number; readonly k: number; readonly largest: boolean };

/** ONNX TopK: k is an attribute before opset 10. Results are sorted also where the model does not ask for it. */
const importTopK: OnnxImporter = (context) => {
  const x = context.input(0);
  const axis = normalizeAxis(context.attrs.int('axis', -1), x.type.shape.length);
  const given = (): number | undefined =>
    context.isComputed(1) ? context.statedShape(0, 1, x.type.shape.length)[axis] : context.numbers(1)?.[0];
  const k = context.attrs.has('k') ? context.attrs.int('k') : given();
  if (k === undefined) throw new Error('k is missing');
  return context.addMany('top_k', { axis, k, largest: context.attrs.int('largest', 1) !== 0 }, [x]);
};

const shapeOf = ({ axis, k }: TopKAttrs, shape: readonly number[]): number[] =>
  shape.map((n, d) => (d === axis ? k : n));

export const topK = defineOp<TopKAttrs>({
  name: 'top_k',
  doc: 'the k greatest or least elements along an axis, in order, and their places as int64',
  inputs: [1, 1],
  quant: 'float-only',
  lower: lowerTopK,
  infer(attrs, inputs) {
    const type = typeOf(inputs, 0);
    const { shape } = type;
    const extent = shape[normalizeAxis(attrs.axis, shape.length)] as number;
    if (!Number.isInteger(attrs.k) || attrs.k < 0 || attrs.k > extent)
      throw new Error(`the first ${attrs.k} of ${extent} elements`);
    const to = shapeOf(attrs, shape);
    return [
      { dtype: plainDtype(type), shape: to },
      { dtype: 'i64', shape: to },
    ];
  },
  reference(attrs, inputs) {
    const { type, data: x } = tensorAt(inputs, 0);
    const shape = shapeOf(attrs, type.shape);
    const [values, places] = [allocate(type.dtype, sizeOf(shape)), new BigInt64Array(sizeOf(shape))];
    const rest = <T>(list: readonly T[]): T[] => list.filter((_, d) => d !== attrs.axis);
    const [from, to] = [rowMajorStrides(type.shape), rowMajorStrides(shape)];
    const targets = stridedIndices(rest(shape), rest(to));
    const sign = attrs.largest ? 1 : -1;
    stridedIndices(rest(type.shape), rest(from)).forEach((start, r) => {
      const at = (i: number): number | bigint => x[start + i * (from[attrs.axis] as number)] as number | bigint;
      const order = Array.from({ length: type.shape[attrs.axis] as number }, (_, i) => i);
      order.sort((a, b) => (at(a) < at(b) ? sign : at(a) > at(b) ? -sign : a - b));
      for (let j = 0; j < attrs.k; j++) {
        const place = (targets[r] as number) + j * (to[attrs.axis] as number);
        values[place] = at(order[j] as number) as never;
        places[place] = BigInt(order[j] as number);
      }
    });
    return [
      { type: { dtype: type.dtype, shape }, data: values },
      { type: { dtype: 'i64', shape }, data: places },
    ];
  },
  paddle: { top_k: importPaddleTopK, top_k_v2: importPaddleTopK },
  onnx: { TopK: importTopK },
});
