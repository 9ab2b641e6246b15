import type { Value } from '../ir/graph.js';
import { allocate } from '../ir/tensor.js';
import { isCodes, sizeOf } from '../ir/type.js';
import type { OnnxImporter } from './import-context.js';
import { importDropout as importPaddleDropout, importIdentity as importPaddleIdentity } from './import-paddle-shape.js';
import { lowerIdentity } from './lowering/movement.js';
import { defineOp } from './op.js';
import { plainDtype, tensorAt, typeOf } from './shapes.js';

/** ONNX Identity: a constant, or codes, pass through; a computed value gets a node, so that its id exists. */
const importIdentity: OnnxImporter = (context) => {
  const x = context.input(0);
  return x.data || isCodes(x.type) ? x : context.add('assign', {}, [x]);
};

/** ONNX Dropout in inference: the identity, and a mask that is true everywhere (before opset 12 its content is open). */
const importDropout: OnnxImporter = (context) => {
  const training = context.inputCount > 2 ? context.numbers(2) : null;
  if (training?.[0]) context.unsupported('Dropout in training mode', 'Export the model for inference.');
  const y = importIdentity(context) as Value;
  if (context.outputCount < 2) return y;
  if (context.opset < 12)
    context.unsupported('Dropout with its mask as second output', 'Export with opset 12 or later.');
  const { shape } = y.type;
  const mask = allocate('bool', sizeOf(shape)).fill(1);
  return [y, context.literal('mask', { type: { dtype: 'bool', shape }, data: mask })];
};

export const assign = defineOp({
  name: 'assign',
  doc: 'the identity',
  inputs: [1, 1],
  quant: 'same-params',
  lower: lowerIdentity,
  infer: (_attrs, inputs) => [{ dtype: plainDtype(typeOf(inputs, 0)), shape: typeOf(inputs, 0).shape }],
  reference: (_attrs, inputs) => [tensorAt(inputs, 0)],
  paddle: {
    assign: importPaddleIdentity,
    share_data: importPaddleIdentity,
    moving_average_abs_max_scale: importPaddleIdentity,
    dropout: importPaddleDropout,
  },
  onnx: { Identity: importIdentity, Dropout: importDropout },
});
