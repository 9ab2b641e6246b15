import type { Value } from '../ir/graph.js';
import { apply, castTo, combine, countingAlong, fromTheEnd, reshapeTo, scalarOf } from './compose.js';
import type { ImportContext } from './import-context.js';
import type { PadAttrs } from './pad.js';

/**
 * Operators that move data to places which the network computes. The size of their results is the one that the model
 * states; the elements are gathered along one dimension after the other.
 */

/** One number per dimension from a list that has one per named axis; `rest` for the others. */
interface Spread {
  readonly list: Value;
  readonly rest: number;
}

/** The int64 number that a list names for dimension `d`; `axes` may be computed too. */
function numberFor(context: ImportContext, axes: Value, { list, rest }: Spread, d: number): Value {
  const none = scalarOf(context, 'i64', 0);
  const named = combine(context, 'equal', axes, scalarOf(context, 'i64', d));
  const shifted = combine(context, 'elementwise_sub', castTo(context, list, 'i64'), scalarOf(context, 'i64', rest));
  const picked = context.add('where', {}, [named, shifted, none]);
  const sum = context.add('reduce_sum', { axes: [0], keepDims: false }, [picked]);
  return combine(context, 'elementwise_add', sum, scalarOf(context, 'i64', rest));
}

/** The named axes as int64 from 0 on: those of operand `i`, or the first `count`. */
function axesAt(context: ImportContext, i: number, count: number, rank: number): Value {
  const given = context.optional(i);
  return given ? fromTheEnd(context, given, rank) : countingAlong(context, 'i64', 1, 0, count);
}

const limited = (context: ImportContext, v: Value, lo: number, hi: number): Value =>
  combine(
    context,
    'elementwise_min',
    combine(context, 'elementwise_max', v, scalarOf(context, 'i64', lo)),
    scalarOf(context, 'i64', hi),
  );

/** ONNX Slice with computed starts, ends, axes or steps: element i of dimension d comes from start + i * step. */
export function sliceAtComputed(context: ImportContext, x: Value): Value {
  const source = x.type.shape;
  const operand = [1, 2, 3, 4].find((i) => context.isComputed(i)) as number;
  const shape = context.statedShape(0, operand, source.length);
  const starts = context.input(1);
  const axes = axesAt(context, 3, starts.type.shape[0] ?? 0, source.length);
  const steps = context.optional(4);
  return source.reduce((y, extent, d) => {
    if (extent === 0) return y;
    const start = fromTheEnd(context, numberFor(context, axes, { list: starts, rest: 0 }, d), extent);
    const step = steps ? numberFor(context, axes, { list: steps, rest: 1 }, d) : scalarOf(context, 'i64', 1);
    const counted = countingAlong(context, 'i64', 1, 0, shape[d] as number);
    const first = limited(context, start, 0, extent - 1);
    const moved = combine(context, 'elementwise_mul', counted, step);
    return context.add('gather', { axis: d }, [y, combine(context, 'elementwise_add', first, moved)]);
  }, x);
}

/** The element of a dimension that stands at computed positions before its start or behind its end. */
function sourceOf(context: ImportContext, mode: PadAttrs['mode'], at: Value, size: Value): Value {
  if (mode === 'wrap') return combine(context, 'elementwise_mod', at, size);
  const last = combine(context, 'elementwise_sub', size, scalarOf(context, 'i64', 1));
  if (mode !== 'reflect')
    return combine(
      context,
      'elementwise_min',
      combine(context, 'elementwise_max', at, scalarOf(context, 'i64', 0)),
      last,
    );
  const fromEnd = combine(context, 'elementwise_sub', last, apply(context, 'abs', at));
  return combine(context, 'elementwise_sub', last, apply(context, 'abs', fromEnd));
}

/** How a dimension is padded: by `before` elements in front, to `out` elements. */
interface Border {
  readonly d: number;
  readonly size: number;
  readonly out: number;
  readonly before: Value;
}

/** Pads one dimension. Negative pads cut first; borders repeat what is left. */
function padDimension(context: ImportContext, x: Value, mode: PadAttrs['mode'], border: Border, fill: Value): Value {
  const { d, size, out, before } = border;
  if (size === 0) throw new Error('a border around nothing');
  const [add, sub] = ['elementwise_add', 'elementwise_sub'];
  const number = (v: number): Value => scalarOf(context, 'i64', v);
  const at = combine(context, sub, countingAlong(context, 'i64', 1, 0, out), before);
  const after = combine(context, sub, number(out - size), before);
  const [start, end] = [before, after].map((v) =>
    combine(context, 'elementwise_max', combine(context, sub, number(0), v), number(0)),
  ) as [Value, Value];
  const kept = combine(context, sub, number(size), combine(context, add, start, end));
  const source = combine(context, add, sourceOf(context, mode, combine(context, sub, at, start), kept), start);
  const moved = context.add('gather', { axis: d }, [x, source]);
  if (mode !== 'constant') return moved;
  const inside = combine(context, 'equal', at, limited(context, at, 0, size - 1));
  const along = x.type.shape.map((_, i) => (i === d ? out : 1));
  return context.add('where', {}, [reshapeTo(context, inside, along), moved, fill]);
}

/** ONNX Pad with computed pads or axes to a shape; `fill` is a constant or a computed number. */
export function padByComputed(
  context: ImportContext,
  x: Value,
  mode: PadAttrs['mode'],
  fill: Value,
  shape: readonly number[],
): Value {
  const pads = context.input(1);
  const count = (pads.type.shape[0] ?? 0) / 2;
  const axes = axesAt(context, 3, count, shape.length);
  const list = context.add('slice', { axes: [0], starts: [0], counts: [count], steps: [1] }, [pads]);
  return x.type.shape.reduce((y, size, d) => {
    const before = numberFor(context, axes, { list, rest: 0 }, d);
    return padDimension(context, y, mode, { d, size, out: shape[d] as number, before }, fill);
  }, x);
}

/** ONNX Range of computed numbers: start + i * step, as many as the model states. */
export function rangeOfComputed(context: ImportContext, operand: number): Value {
  const [count = 0] = context.statedShape(0, operand, 1);
  const [start, step] = [context.input(0), context.input(2)].map((v) => reshapeTo(context, v, [])) as [Value, Value];
  const { dtype } = start.type;
  const counted = castTo(context, countingAlong(context, 'i64', 1, 0, count), dtype);
  return combine(context, 'elementwise_add', combine(context, 'elementwise_mul', counted, step), start);
}

/** More choices of axes are refused. */
const MAX_CHOICES = 8;

/** The sets of axes that a reduction of `x` to a stated shape can be over, without those of extent 1. */
function axesBetween(x: readonly number[], stated: readonly number[], keepDims: boolean): number[][] {
  if (keepDims) {
    const fits = stated.length === x.length && x.every((n, d) => stated[d] === n || stated[d] === 1);
    return fits ? [x.flatMap((n, d) => (stated[d] === n ? [] : [d]))] : [];
  }
  const [wide, left] = [x.flatMap((n, d) => (n === 1 ? [] : [d])), stated.filter((n) => n !== 1)];
  if (wide.length > MAX_CHOICES) return [];
  const choices = Array.from({ length: 2 ** wide.length }, (_, mask) => wide.filter((_, i) => (mask >> i) & 1));
  return choices.filter((axes) => {
    const rest = wide.filter((d) => !axes.includes(d)).map((d) => x[d]);
    return rest.length === left.length && rest.every((n, i) => n === left[i]);
  });
}

/** A reduction over computed axes: the one that gives the stated shape; of several, the one that the axes name. */
export function reduceOverComputed(
  context: ImportContext,
  keepDims: boolean,
  reduce: (axes: readonly number[]) => Value,
): Value {
  const { shape } = context.input(0).type;
  const stated = context.statedShape(0, 1);
  const choices = axesBetween(shape, stated, keepDims);
  if (choices.length === 0 || choices.length > MAX_CHOICES) context.constant(1);
  const axes = fromTheEnd(context, context.input(1), shape.length);
  const list = reshapeTo(context, scalarOf(context, 'i64', 1), [1]);
  const results = choices.map((choice) => reshapeTo(context, reduce(choice), stated));
  return results.reduceRight((other, y, i) => {
    const named = (choices[i] as number[]).map((d) => numberFor(context, axes, { list, rest: 0 }, d));
    const all = named.reduce((a, b) => combine(context, 'elementwise_mul', a, b));
    return context.add('where', {}, [combine(context, 'equal', all, scalarOf(context, 'i64', 1)), y, other]);
  });
}
