import { importNearest } from './import-paddle-resize.js';
import { importResize } from './import-resize.js';
import { lowerResize } from './lowering/resample.js';
import { defineOp } from './op.js';
import { inferResize, type ResizeAttrs, referenceResize, tapsOf } from './resize-shared.js';
import { plainDtype, tensorAt, typeOf } from './shapes.js';

export const nearestInterp = defineOp<ResizeAttrs>({
  name: 'nearest_interp',
  doc: 'x resized to `sizes` by repeating or dropping elements',
  inputs: [1, 1],
  quant: 'same-params',
  lower: (context, attrs) => lowerResize(context, (d, size) => tapsOf(attrs, d, size)),
  infer: (attrs, inputs) => inferResize(attrs, plainDtype(typeOf(inputs, 0)), typeOf(inputs, 0).shape),
  reference: (attrs, inputs) => [referenceResize(attrs, tensorAt(inputs, 0))],
  paddle: { nearest_interp: importNearest, nearest_interp_v2: importNearest },
  onnx: { Resize: importResize, Upsample: importResize },
});
