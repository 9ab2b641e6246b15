import { applyFurtherBinary } from '../codegen/kernels/binary-functions.js';
import { elementwiseOp } from './elementwise.js';
import type { OnnxImporter } from './import-context.js';

/** ONNX Mod: `fmod` takes the sign of the dividend; floats need it. */
const importMod: OnnxImporter = (context) => {
  const fmod = context.attrs.int('fmod', 0) !== 0;
  const operands = [context.input(0), context.input(1)];
  return context.add(fmod ? 'elementwise_fmod' : 'elementwise_mod', { activation: null }, operands);
};

export const elementwiseMod = elementwiseOp({
  name: 'elementwise_mod',
  doc: 'the remainder of x / y with the sign of y, with numpy broadcasting',
  onnx: 'Mod',
  importers: { Mod: importMod },
  kernel: 'floor_mod',
  real: (a, b) => applyFurtherBinary('floor_mod', a, b),
});
