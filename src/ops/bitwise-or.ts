import { importIntegers, integerOp } from './integer-op.js';

export const bitwiseOr = integerOp({
  name: 'bitwise_or',
  doc: 'the bits of x or those of y, with numpy broadcasting',
  kernel: 'bit_or',
  onnx: { BitwiseOr: importIntegers('bitwise_or') },
});
