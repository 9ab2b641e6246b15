import type { Value } from '../ir/graph.js';
import { allocate, f32, type TensorData } from '../ir/tensor.js';
import { type DType, sizeOf } from '../ir/type.js';
import type { GraphBuilder } from './import-context.js';

/** Steps of importers of operators that are made of several ops. */

/** An op of two operands. */
export const combine = (context: GraphBuilder, op: string, a: Value, b: Value): Value =>
  context.add(op, op.startsWith('elementwise') ? { activation: null } : {}, [a, b]);

/** An op of one operand without attributes. */
export const apply = (context: GraphBuilder, op: string, x: Value): Value => context.add(op, {}, [x]);

/** The same elements under a new shape. */
export const reshapeTo = (context: GraphBuilder, x: Value, shape: readonly number[]): Value =>
  context.add('reshape2', { shape: [...shape] }, [x]);

/** The same numbers in another dtype. */
export const castTo = (context: GraphBuilder, x: Value, to: DType): Value =>
  x.type.dtype === to && x.type.quant === undefined ? x : context.add('cast', { to }, [x]);

/** A constant of plain numbers. */
export function constantOf(
  context: GraphBuilder,
  name: string,
  dtype: DType,
  shape: readonly number[],
  values: ArrayLike<number>,
): Value {
  const data = allocate(dtype, sizeOf(shape)) as TensorData;
  for (let i = 0; i < data.length; i++) data[i] = (dtype === 'i64' ? BigInt(values[i] as number) : values[i]) as never;
  return context.literal(name, { type: { dtype, shape }, data });
}

/** A constant number of a dtype. */
export const scalarOf = (context: GraphBuilder, dtype: DType, value: number): Value =>
  dtype === 'f32' ? context.literal('number', f32([], [value])) : constantOf(context, 'number', dtype, [], [value]);

/** Tables of places of more elements than this do not come from real models. */
const MAX_PLACES = 2 ** 23;

/** Throws for a table of places that would be too large. */
export function checkPlaces(count: number): void {
  if (!(count >= 0 && count <= MAX_PLACES)) throw new Error(`a table of ${count} places`);
}

/** The numbers 0, 1, ... along one dimension of a shape that is 1 in all others. */
export function countingAlong(context: GraphBuilder, dtype: DType, rank: number, axis: number, size: number): Value {
  checkPlaces(size);
  const shape = Array.from({ length: rank }, (_, d) => (d === axis ? size : 1));
  return constantOf(
    context,
    'places',
    dtype,
    shape,
    Array.from({ length: size }, (_, i) => i),
  );
}

/** Integers as int64, with those below 0 counted from the end of an extent. */
export function fromTheEnd(context: GraphBuilder, indices: Value, extent: number): Value {
  const wide = castTo(context, indices, 'i64');
  const negative = combine(context, 'less_than', wide, scalarOf(context, 'i64', 0));
  const counted = combine(context, 'elementwise_add', wide, scalarOf(context, 'i64', extent));
  return context.add('where', {}, [negative, counted, wide]);
}
