import { isCodes } from '../ir/type.js';
import type { OnnxImporter } from './import-context.js';
import { lowerIdentity } from './lowering/movement.js';
import { defineOp } from './op.js';
import { plainDtype, tensorAt, typeOf } from './shapes.js';

/** ONNX Identity: a constant, or codes, pass through; a computed value gets a node, so that its id exists. */
const importIdentity: OnnxImporter = (context) => {
  const x = context.input(0);
  return x.data || isCodes(x.type) ? x : context.add('assign', {}, [x]);
};

/** ONNX Dropout in inference: the identity. Its mask is all ones and not supported as an output. */
const importDropout: OnnxImporter = (context) => {
  if (context.outputCount > 1) context.unsupported('Dropout with its mask as second output');
  const training = context.inputCount > 2 ? context.numbers(2) : null;
  if (training?.[0]) context.unsupported('Dropout in training mode', 'Export the model for inference.');
  return importIdentity(context);
};

export const assign = defineOp({
  name: 'assign',
  doc: 'the identity',
  inputs: [1, 1],
  quant: 'same-params',
  lower: lowerIdentity,
  infer: (_attrs, inputs) => [{ dtype: plainDtype(typeOf(inputs, 0)), shape: typeOf(inputs, 0).shape }],
  reference: (_attrs, inputs) => [tensorAt(inputs, 0)],
  onnx: { Identity: importIdentity, Dropout: importDropout },
});
