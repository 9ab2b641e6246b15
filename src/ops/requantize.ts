import { allocate } from '../ir/tensor.js';
import { codesType, isCodes, type Quant, scaleAt } from '../ir/type.js';
import { quantizeTensor, toReal } from '../quant/tensors.js';
import { centredCodes, isPerTensorCodes } from './codes.js';
import { finisher } from './epilogue.js';
import { lowerRequantize } from './lowering/movement.js';
import { defineOp } from './op.js';
import { type GridAttrs, gridOf } from './quantize.js';
import { tensorAt, typeOf } from './shapes.js';

/** Centred codes of one per-tensor grid as codes of another: round(f32(f32(q - z_x) * f32(s_x / s_y))) + z_y. */
export const requantizeOp = defineOp<GridAttrs>({
  name: 'requantize',
  doc: 'codes of one grid as codes of another: round(f32(x - z_x) * f32(s_x / s_y)) + z_y',
  inputs: [1, 1],
  quant: 'boundary',
  lower: lowerRequantize,
  infer: (attrs, inputs) => [codesType({ ...typeOf(inputs, 0), quant: gridOf(attrs) })],
  reference: (_attrs, inputs) => [tensorAt(inputs, 0)],
  integer(_attrs, inputs, output) {
    const x = tensorAt(inputs, 0);
    const to = output.quant as Quant;
    if (!isPerTensorCodes(x.type) || !isPerTensorCodes(output))
      return isCodes(output) ? quantizeTensor(toReal(x), to) : toReal(x);
    const f32 = Math.fround;
    const m = f32(scaleAt(x.type.quant as Quant, 0) / scaleAt(to, 0));
    const finish = finisher(null, output);
    const data = allocate(output.dtype, x.data.length);
    centredCodes(x).forEach((v, i) => {
      data[i] = finish(f32(f32(v) * m));
    });
    return { type: output, data };
  },
});
