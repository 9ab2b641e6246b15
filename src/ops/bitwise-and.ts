import { importIntegers, integerOp } from './integer-op.js';

export const bitwiseAnd = integerOp({
  name: 'bitwise_and',
  doc: 'the bits of x and those of y, with numpy broadcasting',
  kernel: 'bit_and',
  onnx: { BitwiseAnd: importIntegers('bitwise_and') },
});
