import { applyScatter, type ScatterParams } from '../codegen/kernels/scatter.js';
import type { Value } from '../ir/graph.js';
import { allocate, numbers, type TensorData } from '../ir/tensor.js';
import { sizeOf } from '../ir/type.js';
import { reshapeTo } from './compose.js';
import type { ImportContext, OnnxImporter } from './import-context.js';
import { asSlices, elementPlaces, slicePlaces } from './import-elements.js';
import { lowerScatter } from './lowering/scatter.js';
import { defineOp } from './op.js';
import { reshaped, show, tensorAt, typeOf } from './shapes.js';

type ScatterAttrs = { readonly reduction: ScatterParams['reduction'] };

const REDUCTIONS = ['none', 'add', 'mul', 'min', 'max'] as const;

function reductionOf(context: ImportContext): ScatterAttrs['reduction'] {
  const given = context.attrs.string('reduction', 'none');
  return REDUCTIONS.find((r) => r === given) ?? context.unsupported(`${context.type} with reduction "${given}"`);
}

/** Rows of x at places replaced by, or combined with, rows of the updates. */
function scattered(context: ImportContext, rows: readonly [number, number], places: Value, updates: Value): Value {
  const x = context.input(0);
  const count = sizeOf(places.type.shape);
  const flat = [
    reshapeTo(context, x, rows),
    reshapeTo(context, places, [count]),
    reshapeTo(context, updates, [count, rows[1]]),
  ];
  return reshapeTo(context, context.add('scatter', { reduction: reductionOf(context) }, flat), x.type.shape);
}

const importElements: OnnxImporter = (context) => {
  const { shape } = context.input(0).type;
  const places = elementPlaces(context, shape, context.input(1), context.attrs.int('axis', 0));
  return scattered(context, [sizeOf(shape), 1], places, context.input(2));
};

const importNd: OnnxImporter = (context) => {
  const { shape } = context.input(0).type;
  const indices = context.input(1);
  const places = slicePlaces(context, shape, indices);
  return scattered(context, asSlices(shape, indices.type.shape.at(-1) as number), places, context.input(2));
};

export const scatter = defineOp<ScatterAttrs>({
  name: 'scatter',
  doc: 'x[rows, n] with the rows at places[count] replaced by, or combined with, those of updates[count, n], in order',
  inputs: [3, 3],
  quant: 'float-only',
  lower: lowerScatter,
  infer(_attrs, inputs) {
    const [x, places, updates] = [typeOf(inputs, 0), typeOf(inputs, 1), typeOf(inputs, 2)];
    if (x.dtype !== updates.dtype) throw new Error(`updates of dtype ${updates.dtype} for ${x.dtype}`);
    if (places.dtype !== 'i64' || show(updates.shape) !== show([places.shape[0] as number, x.shape[1] as number]))
      throw new Error(`updates ${show(updates.shape)} at ${show(places.shape)} places of ${show(x.shape)}`);
    return [reshaped(x, x.shape)];
  },
  reference({ reduction }, inputs) {
    const [x, places, updates] = [tensorAt(inputs, 0), tensorAt(inputs, 1), tensorAt(inputs, 2)];
    const { dtype, shape } = x.type;
    const [rows, run] = shape as [number, number];
    const data: TensorData = allocate(dtype, x.data.length);
    data.set(x.data as never);
    numbers(places).forEach((place, i) => {
      const row = Math.min(Math.max(place, 0), rows - 1);
      for (let j = 0; j < run; j++) {
        const [old, v] = [data[row * run + j], updates.data[i * run + j]] as [number, number];
        data[row * run + j] = applyScatter(reduction, old, v) as never;
      }
    });
    return [{ type: { dtype, shape }, data }];
  },
  onnx: { ScatterElements: importElements, Scatter: importElements, ScatterND: importNd },
});
