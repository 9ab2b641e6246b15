import { importBicubic, importBilinear } from './import-paddle-resize.js';
import { lowerResize } from './lowering/resample.js';
import { defineOp } from './op.js';
import { inferResize, type ResizeAttrs, referenceResize, tapsOf } from './resize-shared.js';
import { realTypeOf, tensorAt } from './shapes.js';

export const linearInterp = defineOp<ResizeAttrs>({
  name: 'linear_interp',
  doc: 'x resized to `sizes` by linear or cubic interpolation, one dimension after the other; Resize and Upsample',
  inputs: [1, 1],
  quant: 'float-only',
  lower: (context, attrs) => lowerResize(context, (d, size) => tapsOf(attrs, d, size)),
  infer: (attrs, inputs) => inferResize(attrs, 'f32', realTypeOf(inputs, 0).shape),
  reference: (attrs, inputs) => [referenceResize(attrs, tensorAt(inputs, 0))],
  paddle: {
    bilinear_interp: importBilinear,
    bilinear_interp_v2: importBilinear,
    bicubic_interp: importBicubic,
    bicubic_interp_v2: importBicubic,
  },
});
