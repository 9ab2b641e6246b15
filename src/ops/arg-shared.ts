import { rowMajorStrides } from '../ir/tensor.js';
import { sizeOf } from '../ir/type.js';
import { stridedIndices } from './broadcast.js';
import type { OnnxImporter, PaddleImporter } from './import-context.js';
import { dtypeOf, reshape } from './import-paddle.js';
import { lowerArgReduce } from './lowering/reduction.js';
import { defineOp, type Op } from './op.js';
import { reducedShape } from './reduce-shared.js';
import { normalizeAxis, tensorAt, typeOf } from './shapes.js';

/** `last`: of equal elements the last one counts. */
export type ArgAttrs = { readonly axis: number; readonly keepDims: boolean; readonly last: boolean };

const shapeOf = (attrs: ArgAttrs, shape: readonly number[]): number[] =>
  reducedShape({ axes: [attrs.axis], keepDims: attrs.keepDims }, shape);

/** Paddle arg_max and arg_min: along an axis or over all elements; of equal elements the first. */
const importPaddleArg =
  (name: string): PaddleImporter =>
  (context) => {
    const { attrs } = context;
    const flat = attrs.bool('flatten', false);
    const x = context.input('X');
    const source = flat ? reshape(context, x, [sizeOf(x.type.shape)]) : x;
    const axis = normalizeAxis(flat ? 0 : attrs.int('axis', -1), source.type.shape.length);
    const y = context.add(name, { axis, keepDims: attrs.bool('keepdims', false), last: false }, [source]);
    const wanted = attrs.int('dtype', 3);
    const dtype = wanted < 0 ? 'i64' : dtypeOf(context, wanted);
    return dtype === 'i64' ? y : context.add('cast', { to: dtype }, [y]);
  };

/** arg_max and arg_min. */
export function argOp(
  name: string,
  onnx: string,
  op: 'max' | 'min',
  others: Readonly<Record<string, OnnxImporter>> = {},
): Op {
  const importArg: OnnxImporter = (context) => {
    const x = context.input(0);
    const axis = normalizeAxis(context.attrs.int('axis', 0), x.type.shape.length);
    const keepDims = context.attrs.int('keepdims', 1) !== 0;
    return context.add(name, { axis, keepDims, last: context.attrs.int('select_last_index', 0) !== 0 }, [x]);
  };
  return defineOp<ArgAttrs>({
    name,
    doc: `the place of the ${op === 'max' ? 'greatest' : 'least'} element along an axis, as int64`,
    inputs: [1, 1],
    quant: 'float-only',
    lower: lowerArgReduce(op),
    infer(attrs, inputs) {
      const { shape } = typeOf(inputs, 0);
      if (shape[attrs.axis] === 0) throw new Error('a dimension without elements');
      return [{ dtype: 'i64', shape: shapeOf(attrs, shape) }];
    },
    reference(attrs, inputs) {
      const x = tensorAt(inputs, 0);
      const { shape } = x.type;
      const strides = rowMajorStrides(shape);
      const rest = <T>(list: readonly T[]): T[] => list.filter((_, d) => d !== attrs.axis);
      const at = (i: number): number | bigint => x.data[i] as number | bigint;
      const better = (a: number | bigint, b: number | bigint): boolean =>
        (op === 'max' ? a > b : a < b) || (attrs.last && a === b);
      const step = strides[attrs.axis] as number;
      const data = BigInt64Array.from(stridedIndices(rest(shape), rest(strides)), (start) => {
        let best = 0;
        for (let i = 1; i < (shape[attrs.axis] as number); i++)
          if (better(at(start + i * step), at(start + best * step))) best = i;
        return BigInt(best);
      });
      return [{ type: { dtype: 'i64', shape: shapeOf(attrs, shape) }, data }];
    },
    onnx: { [onnx]: importArg, ...others },
    paddle: { [name]: importPaddleArg(name) },
  });
}
