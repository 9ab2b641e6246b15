import { type ArgReduceParams, argReduceKernel } from '../../codegen/kernels/arg-reduce.js';
import { normalizeKernel } from '../../codegen/kernels/normalize.js';
import { type ReduceParams, reduceKernel } from '../../codegen/kernels/reduce.js';
import { softmaxKernel } from '../../codegen/kernels/softmax.js';
import { type TopKParams, topKKernel } from '../../codegen/kernels/top-k.js';
import { type LowerContext, refOf, type View } from '../../codegen/lowering.js';
import { sizeOf } from '../../ir/type.js';
import { applyMap, memoryOrder, rowMajorScratch } from './movement.js';

/** A view with some dimensions moved to the end, in their order. */
function withLast(v: View, last: readonly number[]): View {
  const order = [...v.shape.keys()].filter((d) => !last.includes(d)).concat(last);
  return { ...v, shape: order.map((d) => v.shape[d] as number), strides: order.map((d) => v.strides[d] as number) };
}

/** Runs `emit` on rows along some dimensions in scratch memory; they are brought together, and back. */
function onRows(context: LowerContext, axes: readonly number[], emit: (rows: View, n: number) => void): void {
  const [x, out] = [context.input(0), context.output()];
  const rows = rowMajorScratch(context, 'f32', withLast(x, axes).shape);
  applyMap(context, { kind: 'copy' }, withLast(x, axes), rows);
  emit(rows, sizeOf(axes.map((d) => x.shape[d] as number)));
  applyMap(context, { kind: 'copy' }, rows, withLast(out, axes));
}

/** softmax along an axis: rows are brought together where they are not. */
export function lowerSoftmax(context: LowerContext, attrs: { readonly axis: number }): void {
  const rank = context.inputType(0).shape.length;
  onRows(context, [attrs.axis < 0 ? attrs.axis + rank : attrs.axis], (rows, n) =>
    context.call(softmaxKernel, { rows: sizeOf(rows.shape) / n, n }, [refOf(rows), refOf(rows)]),
  );
}

/** normalize: rows over the axes to mean 0 and variance 1. */
export function lowerNormalize(
  context: LowerContext,
  attrs: { readonly axes: readonly number[]; readonly epsilon: number },
): void {
  onRows(context, attrs.axes, (rows, n) => {
    const args = [refOf(rows), refOf(rows), attrs.epsilon];
    context.call(normalizeKernel, { rows: sizeOf(rows.shape) / n, n }, args);
  });
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
    context.call(reduceKernel, { op, kept: outer, reduced: reduced.map(axis) }, [refOf(x), refOf(out)]);
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
    const outer = kept.map((d, i) => ({
      size: x.shape[d] as number,
      source: x.strides[d] as number,
      target: out.strides[attrs.keepDims ? d : i] as number,
    }));
    outer.sort((a, b) => b.target - a.target);
    const [size, step] = [x.shape[attrs.axis] as number, x.strides[attrs.axis] as number];
    const params: ArgReduceParams = { op, last: attrs.last, kept: outer, size, step };
    context.call(argReduceKernel, params, [refOf(x), refOf(out)]);
  };

/** top_k along an axis: values and places. */
export function lowerTopK(
  context: LowerContext,
  attrs: { readonly axis: number; readonly k: number; readonly largest: boolean },
): void {
  const views = [context.input(0), context.output(0), context.output(1)] as const;
  const [x, values] = views;
  const kept = memoryOrder(values).filter((d) => d !== attrs.axis);
  const params: TopKParams = {
    largest: attrs.largest,
    k: attrs.k,
    kept: {
      dims: kept.map((d) => x.shape[d] as number),
      strides: views.map((v) => kept.map((d) => v.strides[d] as number)),
    },
    size: x.shape[attrs.axis] as number,
    steps: views.map((v) => v.strides[attrs.axis]) as [number, number, number],
  };
  context.call(
    topKKernel,
    params,
    views.map((v) => refOf(v)),
  );
}
