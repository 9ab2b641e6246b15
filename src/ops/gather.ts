import { numbers } from '../ir/tensor.js';
import { sizeOf } from '../ir/type.js';
import { reshapeTo } from './compose.js';
import type { OnnxImporter } from './import-context.js';
import { asSlices, elementPlaces, slicePlaces } from './import-elements.js';
import { onReals } from './import-helpers.js';
import { importLookup, importGather as importPaddleGather } from './import-paddle-shape.js';
import { lowerGather } from './lowering/resample.js';
import { gatherElements } from './move.js';
import { defineOp } from './op.js';
import { normalizeAxis, reshaped, tensorAt, typeOf } from './shapes.js';

/** `axis` is not negative. */
type GatherAttrs = { readonly axis: number };

const importGather: OnnxImporter = (context) =>
  onReals(context, (x) => {
    const axis = normalizeAxis(context.attrs.int('axis', 0), x.type.shape.length);
    return context.add('gather', { axis }, [x, context.input(1)]);
  });

/** ONNX GatherElements: single elements of the flattened tensor. */
const importGatherElements: OnnxImporter = (context) =>
  onReals(context, (x) => {
    const places = elementPlaces(context, x.type.shape, context.input(1), context.attrs.int('axis', 0));
    return context.add('gather', { axis: 0 }, [reshapeTo(context, x, [sizeOf(x.type.shape)]), places]);
  });

/** ONNX GatherND: slices behind the dimensions that the index tuples and batches cover. */
const importGatherND: OnnxImporter = (context) =>
  onReals(context, (x) => {
    const { shape } = x.type;
    const indices = context.input(1);
    const batch = context.attrs.int('batch_dims', 0);
    const places = slicePlaces(context, shape, indices, batch);
    const dims = batch + (indices.type.shape.at(-1) as number);
    const slices = reshapeTo(context, x, asSlices(shape, dims));
    const y = context.add('gather', { axis: 0 }, [slices, places]);
    return reshapeTo(context, y, [...places.type.shape, ...shape.slice(dims)]);
  });

const gatherShape = (axis: number, x: readonly number[], indices: readonly number[]): number[] => [
  ...x.slice(0, axis),
  ...indices,
  ...x.slice(axis + 1),
];

export const gather = defineOp<GatherAttrs>({
  name: 'gather',
  doc: 'slices of x along an axis, chosen by integer indices (negative: from the end)',
  inputs: [2, 2],
  quant: 'same-params',
  lower: lowerGather,
  infer(attrs, inputs) {
    const [x, indices] = [typeOf(inputs, 0), typeOf(inputs, 1)];
    const extent = x.shape[normalizeAxis(attrs.axis, x.shape.length)] as number;
    const outside = inputs[1]?.data && numbers(inputs[1].data).find((i) => i < -extent || i >= extent);
    if (outside !== undefined) throw new Error(`index ${outside} is outside of ${extent}`);
    if (indices.dtype !== 'i32' && indices.dtype !== 'i64') throw new Error(`indices of dtype ${indices.dtype}`);
    return [reshaped(x, gatherShape(attrs.axis, x.shape, indices.shape))];
  },
  reference(attrs, inputs) {
    const [x, indices] = [tensorAt(inputs, 0), tensorAt(inputs, 1)];
    const { axis } = attrs;
    const extent = x.type.shape[axis] as number;
    const [outer, inner] = [sizeOf(x.type.shape.slice(0, axis)), sizeOf(x.type.shape.slice(axis + 1))];
    const picks = numbers(indices).map((i) => {
      if (i < -extent || i >= extent) throw new Error(`index ${i} is outside of ${extent}`);
      return i < 0 ? i + extent : i;
    });
    const from = new Int32Array(outer * picks.length * inner);
    let at = 0;
    for (let o = 0; o < outer; o++)
      for (const p of picks) for (let i = 0; i < inner; i++) from[at++] = (o * extent + p) * inner + i;
    return [gatherElements(x, from, gatherShape(axis, x.type.shape, indices.type.shape))];
  },
  paddle: {
    gather: importPaddleGather,
    index_select: importPaddleGather,
    lookup_table: importLookup,
    lookup_table_v2: importLookup,
  },
  onnx: { Gather: importGather, GatherElements: importGatherElements, GatherND: importGatherND },
});
