import type { Value } from '../ir/graph.js';
import { apply, castTo, combine, countingAlong, reshapeTo, scalarOf } from './compose.js';
import type { ImportContext } from './import-context.js';
import type { ResizeAttrs } from './resize-shared.js';
import { show } from './shapes.js';

/** Attributes without what is computed: sizes are as the model states them, scales and regions are values. */
export type ComputedResize = Omit<ResizeAttrs, 'scales' | 'starts' | 'ends'> & {
  /** What positions outside of the region's input give. */
  readonly fill: number;
};

/** Arithmetic of float32 values, with numbers in place of some. */
function arithmetic(context: ImportContext) {
  const valued = (v: Value | number): Value => (typeof v === 'number' ? scalarOf(context, 'f32', v) : v);
  const op =
    (name: string) =>
    (a: Value | number, b: Value | number): Value =>
      combine(context, name, valued(a), valued(b));
  return {
    add: op('elementwise_add'),
    sub: op('elementwise_sub'),
    mul: op('elementwise_mul'),
    div: op('elementwise_div'),
    below: op('less_than'),
    one: valued(1),
    where: (condition: Value, a: Value | number, b: Value | number): Value =>
      context.add('where', {}, [condition, valued(a), valued(b)]),
  };
}

type Arithmetic = ReturnType<typeof arithmetic>;

/** One dimension: its extents, its scale or the ends of its region. */
interface Dimension {
  readonly d: number;
  readonly size: number;
  readonly out: number;
  readonly scale: Value | number;
  readonly region: readonly [start: Value, end: Value] | null;
}

/** The input positions of all outputs along a dimension; the same formulas as in resize-shared.ts, on values. */
function positions(f: Arithmetic, attrs: ComputedResize, dim: Dimension, counted: Value): Value {
  const { size, out, scale, region } = dim;
  const half = (): Value => f.div(f.add(counted, 0.5), scale);
  if (attrs.coordinates === 'align_corners') return f.mul(counted, out === 1 ? 0 : (size - 1) / (out - 1));
  if (attrs.coordinates === 'asymmetric') return f.div(counted, scale);
  if (attrs.coordinates === 'tf_half_pixel_for_nn') return half();
  if (attrs.coordinates === 'half_pixel_symmetric') {
    const shrunk = f.sub(1, f.div(out / size, scale));
    return f.add(f.mul(shrunk, size / 2), f.sub(half(), 0.5));
  }
  if (region) {
    const [start, end] = region;
    if (out === 1) return f.add(f.mul(counted, 0), f.mul(f.add(start, end), (size - 1) / 2));
    return f.add(f.mul(start, size - 1), f.mul(f.mul(counted, f.sub(end, start)), (size - 1) / (out - 1)));
  }
  return attrs.coordinates === 'pytorch_half_pixel' && out === 1 ? f.mul(counted, 0) : f.sub(half(), 0.5);
}

/** First tap and weights of positions. */
function tapsAt(context: ImportContext, f: Arithmetic, attrs: ComputedResize, at: Value) {
  if (attrs.mode === 'nearest') {
    const shifted = { round_prefer_floor: -0.5, round_prefer_ceil: 0.5, floor: 0, ceil: 0 }[attrs.nearest];
    const up = attrs.nearest === 'round_prefer_floor' || attrs.nearest === 'ceil';
    return { first: apply(context, up ? 'ceil' : 'floor', f.add(at, shifted)), weights: [f.add(f.mul(at, 0), 1)] };
  }
  const below = apply(context, 'floor', at);
  const t = f.sub(at, below);
  if (attrs.mode === 'linear') return { first: below, weights: [f.sub(1, t), t] };
  const a = attrs.cubic;
  const near = (s: Value): Value => f.add(f.mul(f.mul(f.sub(f.mul(s, a + 2), a + 3), s), s), 1);
  const far = (s: Value): Value => f.sub(f.mul(f.add(f.mul(f.sub(f.mul(s, a), 5 * a), s), 8 * a), s), 4 * a);
  const weights = [far(f.add(t, 1)), near(t), near(f.sub(1, t)), far(f.sub(2, t))];
  return { first: f.sub(below, 1), weights };
}

/** Resizes one dimension; one of scale 1 and equal size stays. */
function along(context: ImportContext, x: Value, attrs: ComputedResize, dim: Dimension): Value {
  const f = arithmetic(context);
  const { d, size, out } = dim;
  const spread = (v: Value): Value =>
    reshapeTo(
      context,
      v,
      x.type.shape.map((_, i) => (i === d ? out : 1)),
    );
  const counted = countingAlong(context, 'f32', 1, 0, out);
  const moved = positions(f, attrs, dim, counted);
  const stays = out === size && typeof dim.scale !== 'number' && combine(context, 'equal', dim.scale, f.one);
  const at = stays ? f.where(stays, counted, moved) : moved;
  const { first, weights } = tapsAt(context, f, attrs, at);
  const parts = weights.map((weight, i) => {
    const tap = f.add(first, i);
    const raised = combine(context, 'elementwise_max', tap, scalarOf(context, 'f32', 0));
    const place = combine(context, 'elementwise_min', raised, scalarOf(context, 'f32', size - 1));
    const kept = attrs.excludeOutside ? f.where(combine(context, 'equal', tap, place), weight, 0) : weight;
    return { kept, picked: context.add('gather', { axis: d }, [x, castTo(context, place, 'i64')]) };
  });
  const [only] = parts;
  if (attrs.mode === 'nearest' && !dim.region && only) return only.picked;
  const total = parts.map((p) => p.kept).reduce((a, b) => f.add(a, b));
  const sum = parts.map((p) => f.mul(p.picked, spread(p.kept))).reduce((a, b) => f.add(a, b));
  const y = attrs.excludeOutside ? f.div(sum, spread(total)) : sum;
  if (!dim.region) return y;
  const outside = combine(context, 'logical_or', f.below(at, 0), f.below(scalarOf(context, 'f32', size - 1), at));
  return f.where(spread(outside), attrs.fill, y);
}

/**
 * ONNX Resize and Upsample whose scales or regions are computed: `scales` and `region` are lists with one number, or first
 * the starts and then the ends, for each of `axes`.
 */
export function resizeByComputed(
  context: ImportContext,
  x: Value,
  attrs: ComputedResize,
  axes: readonly number[],
  { scales, region }: { readonly scales: Value | null; readonly region: Value | null },
): Value {
  const shape = x.type.shape;
  for (const [list, count] of [
    [scales, axes.length],
    [region, 2 * axes.length],
  ] as const)
    if (list && list.type.shape.join() !== String(count))
      throw new Error(`a list of shape ${show(list.type.shape)} for ${count} numbers`);
  const numberAt = (list: Value, i: number): Value =>
    reshapeTo(context, context.add('slice', { axes: [0], starts: [i], counts: [1], steps: [1] }, [list]), []);
  return axes.reduce((y, d, i) => {
    const [size, out] = [shape[d] as number, attrs.sizes[d] as number];
    const ends = region && ([numberAt(region, i), numberAt(region, axes.length + i)] as const);
    const scale = scales ? numberAt(scales, i) : out / size;
    return along(context, y, attrs, { d, size, out, scale, region: ends });
  }, x);
}
