import { i64 } from '../ir/tensor.js';
import { sizeOf } from '../ir/type.js';
import type { OnnxImporter } from './import-context.js';
import { importShape as importPaddleShape } from './import-paddle-shape.js';
import { defineOp } from './op.js';
import { tensorAt, typeOf } from './shapes.js';

/** ONNX Shape: shapes are static, so it is a constant. `start` and `end` (opset 15) select a range of dimensions. */
const importShape: OnnxImporter = (context) => {
  const { shape } = context.input(0).type;
  const dims = shape.slice(context.attrs.int('start', 0), context.attrs.int('end', shape.length));
  return context.literal('shape', i64([dims.length], dims));
};

/** ONNX Size: a constant too. */
const importSize: OnnxImporter = (context) => context.literal('size', i64([], [sizeOf(context.input(0).type.shape)]));

export const shape = defineOp({
  name: 'shape',
  doc: 'the shape of x as int64[rank]',
  inputs: [1, 1],
  quant: 'float-only',
  infer: (_attrs, inputs) => [{ dtype: 'i64', shape: [typeOf(inputs, 0).shape.length] }],
  reference(_attrs, inputs) {
    const dims = tensorAt(inputs, 0).type.shape;
    return [i64([dims.length], dims)];
  },
  paddle: { shape: importPaddleShape },
  onnx: { Shape: importShape, Size: importSize },
});
