import { applyFurtherBinary } from '../codegen/kernels/binary-functions.js';
import { elementwiseOp } from './elementwise.js';

export const elementwiseFmod = elementwiseOp({
  name: 'elementwise_fmod',
  doc: 'the remainder of x / y with the sign of x, with numpy broadcasting; Mod with fmod = 1',
  onnx: 'Mod',
  importers: {},
  kernel: 'trunc_mod',
  real: (a, b) => applyFurtherBinary('trunc_mod', a, b),
});
