import { STORAGE_BYTES } from '../../codegen/kernel.js';
import { type ResampleParams, resampleKernel } from '../../codegen/kernels/resample.js';
import {
  asWords,
  type LowerContext,
  laneStorage,
  NO_HALO,
  type Ref,
  refOf,
  type View,
} from '../../codegen/lowering.js';
import { numbers } from '../../ir/tensor.js';
import { sizeOf } from '../../ir/type.js';
import { asReals } from './integers.js';
import { applyMap, memoryOrder, scratchLike, withContiguousOutput } from './movement.js';

/** What an output along an axis is made of: `taps` source indices per output, and their weights where it is a sum. */
export interface Taps {
  readonly taps: number;
  readonly indices: readonly number[];
  readonly weights: Float32Array | null;
}

/** Where the indices come from: constants, or floats that the network computes. */
type Source = { readonly kind: 'constant'; readonly taps: Taps } | { readonly kind: 'computed'; readonly table: Ref };

/** Slices of a view along an axis into another view; the views agree in all other dimensions. */
function resampleAlong(context: LowerContext, from: Source, x: View, out: View, axis: number): void {
  const [source, target] = [asWords(x), asWords(out)];
  const others = memoryOrder(target).filter((d) => d !== axis && target.shape[d] !== 1);
  let run = 1;
  while (others.length > 0) {
    const d = others.at(-1) as number;
    if (source.strides[d] !== run || target.strides[d] !== run) break;
    run *= target.shape[d] as number;
    others.pop();
  }
  const pick = (list: readonly number[]): number[] => others.map((d) => list[d] as number);
  const stride = source.strides[axis] as number;
  const index: ResampleParams['index'] =
    from.kind === 'constant'
      ? { kind: 'constant', taps: from.taps.taps, weighted: from.taps.weights !== null }
      : { kind: 'computed', extent: source.shape[axis] as number, step: stride };
  const params: ResampleParams = {
    storage: laneStorage(source),
    outer: { dims: pick(target.shape), strides: [pick(source.strides), pick(target.strides)] },
    count: target.shape[axis] as number,
    step: target.strides[axis] as number,
    run,
    index,
  };
  const args = [refOf(source), refOf(target)];
  if (from.kind === 'computed') return context.call(resampleKernel, params, [...args, from.table]);
  const bytes = stride * STORAGE_BYTES[source.storage];
  const table = context.data(Int32Array.from(from.taps.indices, (i) => i * bytes));
  const { weights } = from.taps;
  context.call(resampleKernel, params, [...args, table, ...(weights ? [context.data(weights)] : [])]);
}

/** gather: slices along an axis by indices that are constant or computed. */
export function lowerGather(context: LowerContext, attrs: { readonly axis: number }): void {
  const { axis } = attrs;
  const x = context.input(0);
  const indices = context.inputType(1).shape;
  const count = sizeOf(indices);
  const joined = (v: View): View => {
    const inner = v.strides.slice(axis + indices.length);
    const step = indices.length === 0 ? 0 : (v.strides[axis + indices.length - 1] as number);
    const strides = [...v.strides.slice(0, axis), step, ...inner];
    return { ...v, shape: [...x.shape.slice(0, axis), count, ...x.shape.slice(axis + 1)], strides, halo: NO_HALO };
  };
  const constant = context.constant(1);
  const extent = x.shape[axis] as number;
  const source: Source = constant
    ? {
        kind: 'constant',
        taps: { taps: 1, indices: numbers(constant).map((i) => (i < 0 ? i + extent : i)), weights: null },
      }
    : { kind: 'computed', table: refOf(asReals(context, context.input(1, { contiguous: true }))) };
  if (count === 1 && source.kind === 'constant') {
    const offset = x.offset + (source.taps.indices[0] as number) * (x.strides[axis] as number);
    const target = joined(context.output());
    applyMap(context, { kind: 'copy' }, { ...x, offset, shape: target.shape }, target);
  } else if (indices.length === 1) resampleAlong(context, source, x, joined(context.output()), axis);
  else withContiguousOutput(context, (out) => resampleAlong(context, source, x, joined(out), axis));
}

/** Resizing, one dimension after the other: those that shrink come first, so that less is computed. */
export function lowerResize(context: LowerContext, tapsOf: (d: number, size: number) => Taps | null): void {
  const [x, out] = [context.input(0), context.output()];
  const growth = (d: number): number => (out.shape[d] as number) / (x.shape[d] as number);
  const steps = [...x.shape.keys()]
    .flatMap((d) => {
      const taps = tapsOf(d, x.shape[d] as number);
      return taps ? [{ d, taps }] : [];
    })
    .sort((a, b) => growth(a.d) - growth(b.d));
  if (steps.length === 0) return applyMap(context, { kind: 'copy' }, x, out);
  let from = x;
  steps.forEach(({ d, taps }, i) => {
    const shape = from.shape.map((s, k) => (k === d ? (out.shape[d] as number) : s));
    const to = i === steps.length - 1 ? out : scratchLike(context, from, shape);
    resampleAlong(context, { kind: 'constant', taps }, from, to, d);
    from = to;
  });
}
