import { INTEGER_OP, integerStart } from '../codegen/kernels/integer-reduce.js';
import { applyIntegerBinary } from '../codegen/kernels/integers.js';
import type { Value } from '../ir/graph.js';
import type { InferInput } from '../ir/op.js';
import { allocate, rowMajorStrides, type Tensor } from '../ir/tensor.js';
import { sizeOf, type TensorType } from '../ir/type.js';
import { stridedIndices } from './broadcast.js';
import type { ImportContext, OnnxImporter } from './import-context.js';
import { axesOf } from './import-helpers.js';
import { reduction } from './import-paddle.js';
import { reduceOverComputed } from './import-stated.js';
import { lowerReduce } from './lowering/reduction.js';
import { defineOp, type Op } from './op.js';
import { asInputs, normalizeAxes, plainDtype, tensorAt, typeOf } from './shapes.js';

/** `axes` are sorted and not negative. */
export type ReduceAttrs = { readonly axes: readonly number[]; readonly keepDims: boolean };

/** The shape without the reduced dimensions, or with 1 in their place. */
export function reducedShape(attrs: ReduceAttrs, shape: readonly number[]): number[] {
  normalizeAxes(attrs.axes, shape.length);
  const reduced = shape.map((d, i) => (attrs.axes.includes(i) ? 1 : d));
  return attrs.keepDims ? reduced : reduced.filter((_, i) => !attrs.axes.includes(i));
}

/** The axes of an ONNX reduction; null where it does nothing at all. */
function reduceAttrs(context: ImportContext): ReduceAttrs | null {
  const { shape } = context.input(0).type;
  const given = axesOf(context) ?? [];
  if (given.length === 0 && context.attrs.int('noop_with_empty_axes', 0) !== 0) return null;
  const axes = given.length === 0 ? shape.map((_, i) => i) : normalizeAxes(given, shape.length);
  return { axes, keepDims: keepsDims(context) };
}

const keepsDims = (context: ImportContext): boolean => context.attrs.int('keepdims', 1) !== 0;

/** A reduction over the axes that the operands of a node say; `reduce` builds it, null where it does nothing at all. */
export function overAxes(context: ImportContext, reduce: (attrs: ReduceAttrs | null) => Value): Value {
  if (!context.isComputed(1)) return reduce(reduceAttrs(context));
  const keepDims = keepsDims(context);
  return reduceOverComputed(context, keepDims, (axes) => reduce(axes.length === 0 ? null : { axes, keepDims }));
}

/**
 * The importer of a reduction. `before` is applied to the elements (also where nothing is reduced, as the specification
 * says) and `after` to the results.
 */
export const importReduce =
  (
    name: string,
    before: (context: ImportContext, x: Value) => Value = (_, x) => x,
    after: (context: ImportContext, y: Value) => Value = (_, y) => y,
  ): OnnxImporter =>
  (context) =>
    overAxes(context, (attrs) => {
      const x = before(context, context.input(0));
      if (attrs) return after(context, context.add(name, { ...attrs }, [x]));
      const y = after(context, x);
      return y === context.input(0) ? context.add('assign', {}, [y]) : y;
    });

/** What tells one reduction from another; `start` is the result over no elements. */
interface ReduceOp {
  readonly name: string;
  readonly doc: string;
  readonly kernel: 'sum' | 'max' | 'min' | 'prod';
  readonly start: number;
  combine(a: number, b: number): number;
  readonly onnx: Readonly<Record<string, OnnxImporter>>;
}

/** A reduction over axes, of floats (in float64) or integers. */
export function reduceOp(def: ReduceOp): Op {
  const infer = (attrs: ReduceAttrs, inputs: readonly (InferInput | null)[]): TensorType[] => {
    const type = typeOf(inputs, 0);
    return [{ dtype: plainDtype(type), shape: reducedShape(attrs, type.shape) }];
  };
  return defineOp<ReduceAttrs>({
    name: def.name,
    doc: def.doc,
    inputs: [1, 1],
    quant: 'float-only',
    lower: lowerReduce(def.kernel),
    infer,
    reference(attrs, inputs) {
      const x = tensorAt(inputs, 0);
      const type = infer(attrs, asInputs([x]))[0] as TensorType;
      return [{ type, data: reduced(def, attrs, x, type) }];
    },
    onnx: def.onnx,
    paddle: { [def.name]: reduction(def.name) },
  });
}

function reduced(def: ReduceOp, attrs: ReduceAttrs, x: Tensor, type: TensorType): Tensor['data'] {
  const strides = rowMajorStrides(x.type.shape);
  const pick = (list: readonly number[], inside: boolean): number[] =>
    list.filter((_, i) => attrs.axes.includes(i) === inside);
  const starts = stridedIndices(pick(x.type.shape, false), pick(strides, false));
  const offsets = stridedIndices(pick(x.type.shape, true), pick(strides, true));
  const data = allocate(type.dtype, sizeOf(type.shape));
  starts.forEach((from, i) => {
    if (type.dtype === 'i32' || type.dtype === 'i64') {
      data[i] = reducedIntegers(def.kernel, x, type.dtype, from, offsets) as never;
      return;
    }
    let v = def.start;
    for (const offset of offsets) v = def.combine(v, Number(x.data[from + offset]));
    data[i] = v;
  });
  return data;
}

/** A reduction of integers, exact in the bits of their dtype. */
function reducedIntegers(
  op: ReduceOp['kernel'],
  x: Tensor,
  dtype: 'i32' | 'i64',
  from: number,
  offsets: Int32Array,
): number | bigint {
  const bits = dtype === 'i32' ? 32 : 64;
  let v = integerStart(op, bits);
  for (const offset of offsets)
    v = BigInt.asIntN(bits, applyIntegerBinary(INTEGER_OP[op], v, BigInt(x.data[from + offset] as number)));
  return dtype === 'i32' ? Number(v) : v;
}
