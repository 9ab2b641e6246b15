import type { Value } from '../ir/graph.js';
import { numbers, rowMajorStrides } from '../ir/tensor.js';
import { sizeOf } from '../ir/type.js';
import { stridedIndices } from './broadcast.js';
import { checkPlaces, combine, constantOf, fromTheEnd, reshapeTo, scalarOf } from './compose.js';
import type { ImportContext } from './import-context.js';
import { normalizeAxis, show } from './shapes.js';

/** Throws unless constant indices lie in an extent. */
function checkIndices(indices: Value, extent: number): void {
  const { dtype } = indices.type;
  if (dtype !== 'i32' && dtype !== 'i64') throw new Error(`indices of dtype ${dtype}`);
  const outside = indices.data && numbers(indices.data).find((i) => i < -extent || i >= extent);
  if (outside !== undefined) throw new Error(`index ${outside} is outside of ${extent}`);
}

/** GatherElements and ScatterElements: for each index, the place in the flattened tensor that it means. */
export function elementPlaces(context: ImportContext, x: readonly number[], indices: Value, axisGiven: number): Value {
  const { shape } = indices.type;
  const axis = normalizeAxis(axisGiven, x.length);
  if (shape.length !== x.length || shape.some((n, d) => d !== axis && n > (x[d] as number)))
    throw new Error(`indices of shape ${show(shape)} for ${show(x)} along axis ${axis}`);
  const extent = x[axis] as number;
  checkIndices(indices, extent);
  const strides = rowMajorStrides(x);
  const others = shape.map((n, d) => (d === axis ? 1 : n));
  checkPlaces(sizeOf(others));
  const base = constantOf(context, 'places', 'i64', others, stridedIndices(others, strides));
  const step = scalarOf(context, 'i64', strides[axis] as number);
  const along = combine(context, 'elementwise_mul', fromTheEnd(context, indices, extent), step);
  return combine(context, 'elementwise_add', along, base);
}

/** GatherND and ScatterND: for each index tuple, the place among the slices of x that it means; [batch..., tuples...]. */
export function slicePlaces(context: ImportContext, x: readonly number[], indices: Value, batch = 0): Value {
  const { shape } = indices.type;
  const depth = shape.at(-1) ?? 0;
  const batchShape = shape.slice(0, batch);
  if (shape.length <= batch || depth < 1 || depth + batch > x.length)
    throw new Error(`indices of shape ${show(shape)} for ${show(x)}`);
  if (show(batchShape) !== show(x.slice(0, batch))) throw new Error(`batches ${show(batchShape)} of ${show(x)}`);
  const extents = x.slice(batch, batch + depth);
  const strides = rowMajorStrides(x.slice(0, batch + depth));
  const tuples = shape.slice(0, -1);
  const last = shape.length - 1;
  const parts = extents.map((extent, i) => {
    const part = context.add('slice', { axes: [last], starts: [i], counts: [1], steps: [1] }, [indices]);
    checkIndices(part, extent);
    const step = scalarOf(context, 'i64', strides[batch + i] as number);
    return combine(context, 'elementwise_mul', fromTheEnd(context, reshapeTo(context, part, tuples), extent), step);
  });
  const sum = parts.reduce((a, b) => combine(context, 'elementwise_add', a, b));
  if (batch === 0) return sum;
  checkPlaces(sizeOf(batchShape));
  const bases = stridedIndices(batchShape, strides.slice(0, batch));
  const spread = [...batchShape, ...tuples.slice(batch).map(() => 1)];
  return combine(context, 'elementwise_add', sum, constantOf(context, 'places', 'i64', spread, bases));
}

/** The shape of slices behind the dimensions that indices choose, as rows of a matrix. */
export const asSlices = (x: readonly number[], dims: number): [number, number] => [
  sizeOf(x.slice(0, dims)),
  sizeOf(x.slice(dims)),
];
