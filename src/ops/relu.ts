import { isCodes } from '../ir/type.js';
import { FLOAT32_MAX } from './clip.js';
import type { OnnxImporter } from './import-context.js';
import { ofX } from './import-paddle.js';
import { activationOp } from './unary.js';

/** ONNX Relu; on int8 codes it bounds the codes themselves by 0, wherever their zero point is. */
const importRelu: OnnxImporter = (context) => {
  const x = context.input(0);
  return isCodes(x.type)
    ? context.add('clip', { min: 0, max: FLOAT32_MAX, onCodes: true }, [x])
    : context.add('relu', {}, [x]);
};

export const relu = activationOp({
  name: 'relu',
  doc: 'max(x, 0)',
  activation: () => ({ kind: 'relu' }),
  paddle: { relu: ofX('relu') },
  onnx: { Relu: importRelu },
});
