import { defineOp } from './op.js';
import { type GridAttrs, gridOf } from './quantize.js';
import { realTypeOf, tensorAt } from './shapes.js';

export const fakeQuantize = defineOp<GridAttrs>({
  name: 'fake_quantize',
  doc: 'rounds reals to a grid: dequantize(quantize(x))',
  inputs: [1, 1],
  quant: 'boundary',
  infer: (attrs, inputs) => [{ dtype: 'f32', shape: realTypeOf(inputs, 0).shape, quant: gridOf(attrs) }],
  // Rounding to the grid is the caller's part, as for every op.
  reference: (_attrs, inputs) => [tensorAt(inputs, 0)],
});
