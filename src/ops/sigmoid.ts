import { ofX } from './import-paddle.js';
import { quantizedOp } from './import-quantized.js';
import { activationOp } from './unary.js';
import { importUnary } from './unary-function.js';

export const sigmoid = activationOp({
  name: 'sigmoid',
  doc: '1 / (1 + exp(-x))',
  activation: () => ({ kind: 'sigmoid' }),
  paddle: { sigmoid: ofX('sigmoid') },
  onnx: { Sigmoid: importUnary('sigmoid'), 'com.microsoft:QLinearSigmoid': quantizedOp(1, importUnary('sigmoid')) },
});
