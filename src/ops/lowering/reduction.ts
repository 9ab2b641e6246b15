import { type ReduceParams, reduceKernel } from '../../codegen/kernels/reduce.js';
import { softmaxKernel } from '../../codegen/kernels/softmax.js';
import { type LowerContext, refOf, type View } from '../../codegen/lowering.js';
import { sizeOf } from '../../ir/type.js';
import { applyMap, rowMajorScratch } from './movement.js';

/** softmax along an axis: rows are brought together where they are not. */
export function lowerSoftmax(context: LowerContext, attrs: { readonly axis: number }): void {
  const x = context.input(0);
  const out = context.output();
  const axis = attrs.axis < 0 ? attrs.axis + x.shape.length : attrs.axis;
  const order = [...x.shape.keys()].filter((d) => d !== axis);
  order.push(axis);
  const lastly = (v: View): View => ({
    ...v,
    shape: order.map((d) => v.shape[d] as number),
    strides: order.map((d) => v.strides[d] as number),
  });
  const n = x.shape[axis] as number;
  const rows = rowMajorScratch(context, 'f32', lastly(x).shape);
  applyMap(context, { kind: 'copy' }, lastly(x), rows);
  context.call(softmaxKernel, { rows: sizeOf(x.shape) / n, n }, [refOf(rows), refOf(rows)]);
  applyMap(context, { kind: 'copy' }, rows, lastly(out));
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
