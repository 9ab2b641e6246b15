import type { OnnxImporter } from './import-context.js';
import { importIntegers, integerOp } from './integer-op.js';

/** ONNX BitShift, in either direction. */
const importShift: OnnxImporter = (context) => {
  const direction = context.attrs.string('direction');
  if (direction === 'LEFT') return importIntegers('bitwise_left_shift')(context);
  if (direction === 'RIGHT') return importIntegers('bitwise_right_shift')(context);
  throw new Error(`the direction "${direction}"`);
};

export const bitwiseLeftShift = integerOp({
  name: 'bitwise_left_shift',
  doc: 'the bits of x moved up by y places, with numpy broadcasting',
  kernel: 'shift_left',
  onnx: { BitShift: importShift },
});
