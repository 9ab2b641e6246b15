import { type ArgReduceParams, argReduceKernel } from '../../codegen/kernels/arg-reduce.js';
import { integerReduceKernel } from '../../codegen/kernels/integer-reduce.js';
import { integerTopKKernel } from '../../codegen/kernels/integer-top-k.js';
import { normalizeKernel } from '../../codegen/kernels/normalize.js';
import { type ReduceParams, reduceKernel } from '../../codegen/kernels/reduce.js';
import { softmaxKernel } from '../../codegen/kernels/softmax.js';
import { type TopKParams, topKKernel } from '../../codegen/kernels/top-k.js';
import { type LowerContext, type Ref, refOf, type View } from '../../codegen/lowering.js';
import { rowMajorStrides } from '../../ir/tensor.js';
import { sizeOf } from '../../ir/type.js';
import { throughReals } from './integers.js';
import { applyMap, memoryOrder, rowMajorScratch, scratchLike } from './movement.js';

/** A view with some dimensions moved to the end, in their order. */
function withLast(v: View, last: readonly number[]): View {
  const order = [...v.shape.keys()].filter((d) => !last.includes(d)).concat(last);
  return { ...v, shape: order.map((d) => v.shape[d] as number), strides: order.map((d) => v.strides[d] as number) };
}

const isRowMajor = ({ shape, strides }: View): boolean =>
  rowMajorStrides(shape).every((stride, d) => shape[d] === 1 || strides[d] === stride);

/** A kernel on contiguous rows: how many, their length, where they are and where the results go. */
type OnRows = (shape: { readonly rows: number; readonly n: number }, source: Ref, target: Ref) => void;

/** Runs `emit` on rows along some dimensions; those that are not contiguous are brought together, and back. */
function onRows(context: LowerContext, axes: readonly number[], emit: OnRows): void {
  const [x, out] = [withLast(context.input(0), axes), withLast(context.output(), axes)];
  const n = sizeOf(x.shape.slice(x.shape.length - axes.length));
  const shape = { rows: sizeOf(x.shape) / n, n };
  if (isRowMajor(x) && isRowMajor(out)) return emit(shape, refOf(x), refOf(out));
  const rows = rowMajorScratch(context, 'f32', x.shape);
  if (!isRowMajor(x)) applyMap(context, { kind: 'copy' }, x, rows);
  const source = isRowMajor(x) ? x : rows;
  if (isRowMajor(out)) return emit(shape, refOf(source), refOf(out));
  emit(shape, refOf(source), refOf(rows));
  applyMap(context, { kind: 'copy' }, rows, out);
}

/** softmax along an axis: rows are brought together where they are not. */
export function lowerSoftmax(context: LowerContext, attrs: { readonly axis: number }): void {
  const rank = context.inputType(0).shape.length;
  onRows(context, [attrs.axis < 0 ? attrs.axis + rank : attrs.axis], (shape, source, target) =>
    context.call(softmaxKernel, shape, [source, target]),
  );
}

/** normalize: rows over the axes to mean 0 and variance 1. */
export function lowerNormalize(
  context: LowerContext,
  attrs: { readonly axes: readonly number[]; readonly epsilon: number },
): void {
  onRows(context, attrs.axes, (shape, source, target) =>
    context.call(normalizeKernel, shape, [source, target, attrs.epsilon]),
  );
}

/** reduce_mean and its relatives over some axes of reals. */
export const lowerReduce =
  (op: ReduceParams['op']) =>
  (context: LowerContext, attrs: { readonly axes: readonly number[]; readonly keepDims: boolean }): void => {
    const x = context.input(0);
    const out = context.output();
    const axes = new Set(attrs.axes.map((a) => (a < 0 ? a + x.shape.length : a)));
    const kept = [...x.shape.keys()].filter((d) => !axes.has(d));
    const reduced = [...x.shape.keys()].filter((d) => axes.has(d));
    const target = (i: number): number => out.strides[attrs.keepDims ? (kept[i] as number) : i] as number;
    const axis = (d: number) => ({ size: x.shape[d] as number, source: x.strides[d] as number });
    const outer = kept.map((d, i) => ({ ...axis(d), target: target(i) }));
    outer.sort((a, b) => b.target - a.target);
    const params = { kept: outer, reduced: reduced.map(axis) };
    const args = [refOf(x), refOf(out)];
    if (x.storage !== 'i64') return context.call(reduceKernel, { op, ...params }, args);
    if (op === 'mean') throw new Error('a mean of integers');
    const bits = context.inputType(0).dtype === 'i32' ? 32 : 64;
    context.call(integerReduceKernel, { op, bits, ...params }, args);
  };

/** arg_max and arg_min along an axis. */
export const lowerArgReduce =
  (op: 'max' | 'min') =>
  (
    context: LowerContext,
    attrs: { readonly axis: number; readonly keepDims: boolean; readonly last: boolean },
  ): void => {
    const [x, out] = [context.input(0), context.output()];
    const kept = [...x.shape.keys()].filter((d) => d !== attrs.axis);
    const size = x.shape[attrs.axis] as number;
    checkPlaces(size);
    if (x.storage === 'i64') {
      const strides = kept.map((d, i) => out.strides[attrs.keepDims ? d : i] as number);
      const values = scratchLike(context, out, out.shape);
      const params = { k: 1, kept, size, axis: attrs.axis, largest: op === 'max', last: attrs.last };
      return integerTopK(context, params, [x, values, out], [strides, strides]);
    }
    throughReals(context, out, (places) => {
      const outer = kept.map((d, i) => ({
        size: x.shape[d] as number,
        source: x.strides[d] as number,
        target: places.strides[attrs.keepDims ? d : i] as number,
      }));
      outer.sort((a, b) => b.target - a.target);
      const params: ArgReduceParams = {
        op,
        last: attrs.last,
        kept: outer,
        size,
        step: x.strides[attrs.axis] as number,
      };
      context.call(argReduceKernel, params, [refOf(x), refOf(places)]);
    });
  };

/** Places are counted in floats. */
function checkPlaces(size: number): void {
  if (size > 2 ** 24) throw new Error(`places in a dimension of ${size} elements`);
}

/** What the search for the best integers needs to know. */
interface TopKSearch {
  readonly k: number;
  readonly largest: boolean;
  readonly last: boolean;
  readonly axis: number;
  readonly size: number;
  /** Dimensions of x but the axis, and the strides of values and places along them. */
  readonly kept: readonly number[];
}

function integerTopK(
  context: LowerContext,
  { kept, axis, ...rest }: TopKSearch,
  [x, values, places]: readonly [View, View, View],
  strides: readonly [readonly number[], readonly number[]],
): void {
  const nest = {
    dims: kept.map((d) => x.shape[d] as number),
    strides: [kept.map((d) => x.strides[d] as number), ...strides],
  };
  const steps = [x.strides[axis], values.strides[axis] ?? 0, places.strides[axis] ?? 0] as [number, number, number];
  context.call(integerTopKKernel, { ...rest, kept: nest, steps }, [refOf(x), refOf(values), refOf(places)]);
}

/** top_k along an axis: values and places. */
export function lowerTopK(
  context: LowerContext,
  attrs: { readonly axis: number; readonly k: number; readonly largest: boolean },
): void {
  const [x, values, out] = [context.input(0), context.output(0), context.output(1)] as const;
  if (attrs.k === 0) return;
  const kept = memoryOrder(values).filter((d) => d !== attrs.axis);
  const size = x.shape[attrs.axis] as number;
  const along = (v: View): number[] => kept.map((d) => v.strides[d] as number);
  checkPlaces(size);
  if (x.storage === 'i64')
    return integerTopK(context, { ...attrs, last: false, size, kept }, [x, values, out], [along(values), along(out)]);
  throughReals(context, out, (places) => {
    const views = [x, values, places];
    const params: TopKParams = {
      largest: attrs.largest,
      k: attrs.k,
      kept: { dims: kept.map((d) => x.shape[d] as number), strides: views.map(along) },
      size,
      steps: views.map((v) => v.strides[attrs.axis]) as [number, number, number],
    };
    context.call(
      topKKernel,
      params,
      views.map((v) => refOf(v)),
    );
  });
}
