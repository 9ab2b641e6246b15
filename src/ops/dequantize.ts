import { isCodes, sizeOf } from '../ir/type.js';
import { toReal } from '../quant/tensors.js';
import { codesAsReals } from './import-codes.js';
import type { OnnxImporter } from './import-context.js';
import { dequantizePlain } from './import-dynamic.js';
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
  const computed = [1, 2].some((i) => i < context.inputCount && context.optional(i)?.data === undefined);
  const plain = x.type.quant === undefined && x.data === undefined;
  if (plain && (computed || sizeOf(context.input(1).type.shape) > 1)) {
    if (!computed) importGrid(context, dtype, shape);
    const axis = context.attrs.int('axis', 1);
    return dequantizePlain(context, x, context.input(1), context.inputCount > 2 ? context.optional(2) : null, axis);
  }
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
