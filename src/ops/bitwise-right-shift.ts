import { integerOp } from './integer-op.js';

export const bitwiseRightShift = integerOp({
  name: 'bitwise_right_shift',
  doc: 'the bits of x moved down by y places, zeros following, with numpy broadcasting',
  kernel: 'shift_right',
  onnx: {},
});
