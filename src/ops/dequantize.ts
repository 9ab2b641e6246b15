import { isCodes } from '../ir/type.js';
import { toReal } from '../quant/tensors.js';
import { codesAsReals } from './import-codes.js';
import type { OnnxImporter } from './import-context.js';
import { importGrid } from './import-grid.js';
import { DEQUANTIZE_IMPORTERS } from './import-paddle-fake.js';
import { lowerDequantize } from './lowering/movement.js';
import { defineOp } from './op.js';
import { show, tensorAt, typeOf } from './shapes.js';

const importDequantize: OnnxImporter = (context) => {
  const x = context.input(0);
  const { dtype, shape } = x.type;
  if (dtype !== 'i8' && dtype !== 'u8' && dtype !== 'i32')
    return context.unsupported(`DequantizeLinear of ${dtype}${show(shape)}`, 'The input must be int8, uint8 or int32.');
  return codesAsReals(context, x, importGrid(context, dtype, shape));
};

export const dequantize = defineOp({
  name: 'dequantize',
  doc: 'reals of codes: f32(f32(code - zeroPoint) * scale)',
  inputs: [1, 1],
  quant: 'boundary',
  lower: lowerDequantize,
  infer(_attrs, inputs) {
    const type = typeOf(inputs, 0);
    if (!isCodes(type)) throw new Error(`${type.dtype} without a grid cannot be dequantized`);
    return [{ dtype: 'f32', shape: type.shape }];
  },
  reference: (_attrs, inputs) => [toReal(tensorAt(inputs, 0))],
  integer: (_attrs, inputs) => toReal(tensorAt(inputs, 0)),
  paddle: DEQUANTIZE_IMPORTERS,
  onnx: { DequantizeLinear: importDequantize, 'com.microsoft:DequantizeLinear': importDequantize },
});
